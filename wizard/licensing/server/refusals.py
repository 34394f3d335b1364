"""Every way in which the API says no: a code for programs, a status, and words for a person."""

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.licensing.rules.events import Answer
from wizard.licensing.rules.limits import SECOND, Millis

Json = dict[str, object]
Refusing = tuple[Json, int, dict[str, str]]
"""What a view returns: the document, the status, and headers."""


@dataclass(frozen=True)
class Refusal:
    """`words` are for a person who reads a log, or a page that has none of its own."""

    status: int
    words: str


REFUSALS: Mapping[str, Refusal] = {
    "bad_request": Refusal(400, "A JSON object is wanted, with the fields that the documentation names."),
    "malformed": Refusal(400, "This is no message of this protocol."),
    "bad_signature": Refusal(400, "The signature does not belong to this message."),
    "wrong_token": Refusal(401, "This is not the token of this instance. It is in its config volume."),
    "not_admin": Refusal(401, "The token from the config volume of this instance is wanted for this."),
    "not_found": Refusal(404, "There is nothing at this address."),
    "method_not_allowed": Refusal(405, "This address is not for that method."),
    "not_authenticated": Refusal(
        409, "This authorization application is not authenticated: scan its QR code and enter the code first."
    ),
    "maximum_reached": Refusal(409, "All registrations that the licence allows are in use."),
    "fork": Refusal(409, "Another copy of this project has spoken with this authorization application."),
    "retired": Refusal(410, "This authorization application was retired, and stays so."),
    "request_entity_too_large": Refusal(413, "The document is larger than any that makes sense."),
    "unsupported_media_type": Refusal(415, "A document is wanted as application/json."),
    "wrong_licence": Refusal(422, "This is another licence than the one of this instance. Nothing was done."),
    "locked": Refusal(423, "Too many wrong codes. Nothing is evaluated until the lock opens."),
    "too_often": Refusal(429, "That comes too often. Wait as long as Retry-After says."),
    "internal_server_error": Refusal(500, "Something went wrong that should not. It is in the log."),
    "clock_behind": Refusal(
        503, "The clock of this server is behind the time at which it was last alive. It goes on when it is set right."
    ),
    "damaged": Refusal(503, "The storage is damaged. It is put right when the process starts again, within a minute."),
    "storage": Refusal(503, "The storage cannot be used now: the disk is full, or busy. Nothing was changed."),
}

ANSWERS: Mapping[Answer, str] = {
    Answer.LOCKED: "locked",
    Answer.RETIRED: "retired",
    Answer.NOT_AUTHENTICATED: "not_authenticated",
    Answer.FULL: "maximum_reached",
}
"""What the rules refuse."""

STATUSES: Mapping[int, str] = {
    REFUSALS[code].status: code
    for code in (
        "bad_request",
        "not_found",
        "method_not_allowed",
        "request_entity_too_large",
        "unsupported_media_type",
        "internal_server_error",
    )
}
"""What is refused before anybody has looked at what is asked for."""


def refuse(code: str, words: str | None = None, headers: dict[str, str] | None = None, **more: object) -> Refusing:
    """The answer with that code; with words of its own where there are better ones, and what else belongs to it."""
    refusal = REFUSALS[code]
    return {"error": {"code": code, "message": words or refusal.words}, **more}, refusal.status, headers or {}


def retry_after(wait: Millis) -> dict[str, str]:
    """The header, in whole seconds (RFC 9110, 10.2.3), never too few."""
    return {"Retry-After": str(-(-wait // SECOND))}


TOKEN_WANTED = {"WWW-Authenticate": 'Bearer realm="authorization application"'}
"""With every 401 (RFC 9110, 11.6.1)."""
