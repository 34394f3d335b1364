"""Everything that can be asked of the authorization application over HTTP, and all that it can answer, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wizard.licensing.protocol import api as paths
from wizard.licensing.server.authorization import Judgement
from wizard.licensing.server.schemas import Schema

TROUBLE = ("clock_behind", "damaged", "storage")
"""What can befall every operation that looks at the instance."""
DOCUMENT = ("bad_request", "request_entity_too_large", "unsupported_media_type")
"""What can be wrong with every document, before it is looked at."""
MESSAGE = (*DOCUMENT, "malformed", "bad_signature")
"""And with a signed message."""

ANYBODY: Sequence[Schema] = ()
STRANGER_OR_ADMIN: Sequence[Schema] = ({}, {paths.ENTRY_TOKEN: []})
ADMIN: Sequence[Schema] = ({paths.ENTRY_TOKEN: []},)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One of them. What it answers is in the fields beneath `takes`, each by its status or by its code."""

    method: str
    path: str
    name: str
    rules: str
    summary: str
    about: str
    security: Sequence[Schema] = ANYBODY
    takes: Mapping[str, str] = field(default_factory=dict)
    """Names of schemas, by their media type."""
    answers: Mapping[int, str] = field(default_factory=dict)
    """Names of schemas."""
    judged: Mapping[int, Sequence[str]] = field(default_factory=dict)
    """Judgements of a code, each with the status of the instance."""
    refusals: Sequence[str] = ()
    """Codes of `REFUSALS` that come with the status of the instance."""
    failures: Sequence[str] = TROUBLE
    """Codes of `REFUSALS` that come alone."""
    texts: Mapping[int, str] = field(default_factory=dict)
    """What a text says, where the answer is one; of the type `media`."""
    media: str = "text/html"


def json(name: str) -> Mapping[str, str]:
    return {"application/json": name}


OPERATIONS: Sequence[Operation] = (
    Operation(
        method="get",
        path=paths.STATUS,
        name="status",
        rules="R6 to R11",
        summary="How the instance stands",
        about="Everybody may ask. With the token, the challenge, the tries and the lock are the admin's.",
        security=STRANGER_OR_ADMIN,
        answers={200: "Status"},
        failures=("wrong_token", *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.CHALLENGES,
        name="createChallenge",
        rules="R6",
        summary="A new QR",
        about="It is valid for 300.000 s, and the older one of the same asker is dead. None is made during a lock.",
        security=STRANGER_OR_ADMIN,
        takes=json("Nothing"),
        answers={201: "NewChallenge"},
        refusals=("locked", "retired"),
        failures=("wrong_token", "too_often", *DOCUMENT, *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.CODES,
        name="enterCode",
        rules="R6",
        summary="Enter the code from the phone",
        about=(
            "A wrong one is counted for its asker, before it is looked at: five are tolerated, the sixth locks for 15 "
            "minutes, and 30 since the last success block for 24 hours. What is expired, superseded, consumed or "
            "malformed is not counted, nor is what comes too often."
        ),
        security=STRANGER_OR_ADMIN,
        takes=json("Code"),
        judged={
            200: (Judgement.ACCEPTED,),
            400: (Judgement.MALFORMED,),
            410: (Judgement.EXPIRED, Judgement.SUPERSEDED, Judgement.CONSUMED, Judgement.RETIRED),
            422: (Judgement.WRONG,),
            423: (Judgement.LOCKED,),
        },
        failures=("wrong_token", "too_often", *DOCUMENT, *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.REGISTRATIONS,
        name="register",
        rules="R7, R8",
        summary="Register all nodes of a project",
        about=(
            "All of them, or none. A message that comes twice is answered again with the same certificate. No token is "
            "looked at, for the message is signed; a refusal tells the status as strangers see it."
        ),
        takes=json("Register"),
        answers={201: "Certificate"},
        refusals=("not_authenticated", "maximum_reached", "retired"),
        failures=("fork", *MESSAGE, *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.BEATS,
        name="beat",
        rules="R9 to R11",
        summary="The request of a node, every two hours",
        about="The answer is signed, whatever it says: also that the node is unknown, or that its project is a copy.",
        takes=json("Beat"),
        answers={200: "Feedback"},
        failures=(*MESSAGE, *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.DEAUTHORIZATIONS,
        name="deauthorize",
        rules="R12",
        summary="Give up all slots of a project",
        about="After the last one the instance must be authenticated again.",
        takes=json("Deauthorize"),
        answers={200: "Release"},
        failures=(*MESSAGE, *TROUBLE),
    ),
    Operation(
        method="post",
        path=paths.RETIREMENT,
        name="retire",
        rules="R13",
        summary="End this instance for good",
        about=(
            "For a component migration, when the vendor has agreed. All slots are released, and nothing is authorized "
            "any more. Asked again, it answers with the same statement."
        ),
        security=ADMIN,
        takes=json("Licence"),
        answers={200: "Ended"},
        failures=("wrong_token", "not_admin", "wrong_licence", *DOCUMENT, *TROUBLE),
    ),
    Operation(
        method="get",
        path=paths.OPENAPI,
        name="openapi",
        rules="none",
        summary="This document",
        about="It does not change while the process runs.",
        answers={200: "OpenApi"},
        failures=(),
    ),
    Operation(
        method="get",
        path=paths.HEALTH,
        name="health",
        rules="R5",
        summary="Whether it answers",
        about="For whoever starts it, or watches it.",
        answers={200: "Health"},
    ),
    Operation(
        method="get",
        path=paths.METRICS,
        name="metrics",
        rules="R6 to R11",
        summary="Numbers for Prometheus",
        about="The text format 0.0.4. No company, project or node is named.",
        texts={200: "How the instance stands, and what was counted since the start."},
        media="text/plain",
    ),
    Operation(
        method="get",
        path=paths.PAGE,
        name="page",
        rules="R5, R6",
        summary="The page for people",
        about="The QR and the field for the code, or what comes next. Whoever opens it is a stranger.",
        failures=(),
        texts={
            200: "The page as it stands.",
            429: "There is no QR yet: they are asked for too often.",
            503: "The clock is behind, or the storage cannot be used. The page says what to do.",
        },
    ),
    Operation(
        method="post",
        path=paths.PAGE,
        name="pageSubmit",
        rules="R6",
        summary="The form of that page",
        about="A code, or the wish for a new QR. Other sites cannot send either.",
        takes={"application/x-www-form-urlencoded": "Form"},
        failures=(),
        texts={
            303: "Done: to the page as it stands now.",
            400: "It is no form of this page, or no code. Nothing was counted.",
            403: "It came from another site. Nothing was counted.",
            410: "The code was for a QR that has expired, was replaced or was used. It was not counted.",
            413: "It is longer than any form of this page.",
            422: "The code was wrong. It was counted.",
            423: "The entry is locked.",
            429: "That came too often. Nothing was counted.",
            503: "The clock is behind, or the storage cannot be used. The page says what to do.",
        },
    ),
)
