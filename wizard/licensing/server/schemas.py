"""What the documents of the API look like (JSON Schema 2020-12), with an example of each part."""

from collections.abc import Iterable, Mapping
from typing import Any

from wizard.licensing.protocol.api import PROTOCOL
from wizard.licensing.protocol.messages import MOST_NODES, Result
from wizard.licensing.rules.instance import Asker, Failure, SlotState, State
from wizard.licensing.rules.limits import DAY, QR_VALID, TOLERATED
from wizard.licensing.server.authorization import Judgement
from wizard.licensing.server.refusals import REFUSALS, Json

Schema = dict[str, object]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def thing(about: str, /, **properties: Schema) -> Schema:
    """An object that has all of these fields, and no other."""
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text(about: str, example: str, **limits: object) -> Schema:
    return {"type": "string", "description": about, "examples": [example], **limits}


def number(about: str, example: int, **limits: object) -> Schema:
    return {"type": "integer", "description": about, "examples": [example], "minimum": 0, **limits}


def hexadecimal(digits: int, about: str) -> Schema:
    return text(about, ("0123456789abcdef" * 8)[:digits], pattern=f"^[0-9a-f]{{{digits}}}$")


def one_of(values: Iterable[str], about: str) -> Schema:
    found = [str(value) for value in values]
    return {"type": "string", "description": about, "enum": found, "examples": found[:1]}


def constant(value: str | int) -> Schema:
    return {"const": value, "examples": [value]}


def or_null(schema: Schema) -> Schema:
    """Null in the examples: it is the ordinary case."""
    return {"anyOf": [schema, {"type": "null"}], "examples": [None]}


def several(items: Schema, **limits: object) -> Schema:
    return {"type": "array", "items": items, **limits}


def name(about: str, example: str) -> Schema:
    return text(f"{about} Printable characters only.", example, minLength=1, maxLength=200)


def message(kind: str, about: str, **body: Schema) -> Schema:
    """A signed message (SPEC.md, section 4)."""
    return thing(
        about,
        kind=constant(kind),
        body=thing("What it says.", **body),
        key=hexadecimal(64, "The public key that signs (Ed25519)."),
        signature=hexadecimal(128, "Over the canonical JSON of the other three fields (RFC 8032)."),
    )


def sample(schema: Any) -> object:
    """An example of it, made of those of its parts."""
    if "$ref" in schema:
        return sample(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "examples" in schema:
        return schema["examples"][0]
    if schema["type"] == "array":
        return [sample(schema["items"])]
    return {name: sample(part) for name, part in schema["properties"].items()}


INSTANCE = hexadecimal(64, "The public key of the instance (X25519).")
LICENCE = hexadecimal(16, "The number of the licence.")
COMPANY = name("Of the licence.", "Example Company")
SEQUENCE = number("Rises with each message of this sender.", 7, maximum=2**53 - 1)
NONCE = hexadecimal(32, "New in each message.")
REQUEST = hexadecimal(64, "SHA-256 of the canonical JSON of the message that is answered.")

SCHEMAS: Mapping[str, Schema] = {
    "Status": thing(
        "How the instance stands. All times are spans, in milliseconds, so that no two clocks are compared.",
        protocol=constant(PROTOCOL),
        instance=INSTANCE,
        state=one_of((state for state in State if state is not State.NEW), "SPEC.md, section 3."),
        company=COMPANY,
        project=name("Of the licence.", "Reporting"),
        asker=one_of(Asker, "Who asked: challenge, tries_left and locked_ms are this one's (R6)."),
        challenge={"anyOf": [ref("Challenge"), {"type": "null"}], "examples": [None]},
        tries_left=number("Codes that are looked at before the entry locks.", 6, maximum=TOLERATED + 1),
        locked_ms=or_null(number("Until the entry opens again.", 1000, minimum=1, maximum=DAY)),
        registrations=number("Slots that the licence allows (R8).", 2),
        slots=several(ref("Slot")),
        clock=ref("Clock"),
    ),
    "Challenge": thing(
        "An open QR (R6).",
        id=hexadecimal(16, "Its name."),
        url=text("The address in the QR: the vendor's activation page.", "HTTPS://VENDOR.EXAMPLE/L/AEAQ", format="uri"),
        elapsed_ms=number("Since it was made.", 20_000, maximum=QR_VALID),
        remaining_ms=number("For which it is valid yet.", 280_000, maximum=QR_VALID),
    ),
    "Slot": thing(
        "A registered node of a project.",
        project=name("What the project calls itself.", "Sales"),
        node=name("What the project calls its node.", "node-a"),
        state=one_of(SlotState, "SPEC.md, section 3."),
        reason=or_null(one_of(Failure, "Why it failed.")),
        registered_ms=number("Since it was registered.", 86_400_000),
        last_request_ms=or_null(number("Since its last request; null when none has come yet.", 60_000)),
    ),
    "Clock": thing(
        "The last jump of this server's clock, for the hour after it; null when there is none.",
        anomaly_ms_ago=or_null(number("Since it was noticed.", 60_000)),
        jump_ms=or_null({"type": "integer", "description": "How far it jumped; negative when it was set back."}),
    ),
    "Nothing": thing("No field is wanted."),
    "NewChallenge": thing(
        "A new QR. The older one of the same asker is dead.", challenge=ref("Challenge"), status=ref("Status")
    ),
    "Code": thing(
        "Six digits for a QR.",
        challenge=text("The id of the challenge that the phone has scanned.", "0123456789abcdef"),
        code=text("What the phone shows. Anything but six digits is malformed, and not counted.", "042117"),
    ),
    "Judged": thing("What became of a code (R6).", judgement=one_of(Judgement, "See the rules."), status=ref("Status")),
    "Licence": thing("Which licence is meant, so that no other one is ended.", licence=LICENCE),
    "Ended": thing("It has ended for good.", statement=ref("Retirement"), status=ref("Status")),
    "Register": message(
        "register",
        "A project asks for slots for all of its nodes (R8).",
        project=name("Its name, for people.", "Sales"),
        nodes=several(name("", "node-a"), minItems=1, maxItems=MOST_NODES, uniqueItems=True),
        sequence=SEQUENCE,
        nonce=NONCE,
    ),
    "Certificate": message(
        "certificate",
        "These nodes are registered with this instance.",
        instance=INSTANCE,
        licence=LICENCE,
        company=COMPANY,
        project=name("As it was asked for.", "Sales"),
        nodes=several(name("", "node-a")),
        maximum=number("Slots that the licence allows.", 2),
        registered=number("Milliseconds since 1970, by the clock of the instance: for the record.", 1_800_000_000_000),
        request=REQUEST,
    ),
    "Beat": message(
        "beat",
        "The request of one node, every two hours (R9).",
        node=name("Which one.", "node-a"),
        sequence=SEQUENCE,
        nonce=NONCE,
        last=hexadecimal(64, "SHA-256 of the canonical JSON of the last answer that this node received."),
    ),
    "Feedback": message(
        "feedback",
        "The answer to that, also when it says that the registration has failed.",
        result=one_of(Result, "R10, R11."),
        request=REQUEST,
        down_ms=or_null(number("With RECONNECTED: for how long this instance attests that it was down.", 90_000)),
    ),
    "Deauthorize": message("deauthorize", "A project gives up all of its slots (R12).", sequence=SEQUENCE, nonce=NONCE),
    "Release": message("release", "The answer to that.", result=one_of(Result, "R12."), request=REQUEST),
    "Retirement": message(
        "retirement",
        "The statement that this instance has ended, as it is in privateConfig too (R13).",
        instance=INSTANCE,
        licence=LICENCE,
        counter=number("Challenges that it has made.", 3),
        retired=number("When, in milliseconds since 1970, by the clock of the instance.", 1_800_000_000_000),
    ),
    "Form": {
        "description": "Of the page for people.",
        "type": "object",
        "properties": {
            "action": one_of(("enter", "refresh"), "What is wanted."),
            "challenge": text("With enter: the id of the challenge.", "0123456789abcdef"),
            "code": text("With enter: six digits; spaces do not matter.", "042 117"),
        },
        "required": ["action"],
        "examples": [{"action": "enter", "challenge": "0123456789abcdef", "code": "042 117"}],
    },
    "OpenApi": {
        "description": "See https://spec.openapis.org/oas/v3.1.1.",
        "type": "object",
        "required": ["openapi", "info", "paths"],
        "examples": [{"openapi": "3.1.0", "info": {"title": "Authorization application", "version": "1"}, "paths": {}}],
    },
    "Health": thing("It answers, and its storage does.", status=constant("ok")),
    "Error": thing(
        "For a program `code`, for a person `message`.",
        code=one_of(REFUSALS, "What is wrong."),
        message=text("One or two sentences in English.", next(iter(REFUSALS.values())).words),
    ),
    "Failure": thing("Nothing was done.", error=ref("Error")),
    "Refusal": thing("Nothing was done, and how the instance stands.", error=ref("Error"), status=ref("Status")),
}
"""By name. A response has no field that is not here."""


def failed(code: str) -> Json:
    """The document that says so."""
    return {"error": {"code": code, "message": REFUSALS[code].words}}
