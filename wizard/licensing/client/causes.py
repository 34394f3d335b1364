"""Why something happened to a project: a code for programs, a sentence for people (R8)."""

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.licensing.rules.project import Loss


@dataclass(frozen=True, kw_only=True)
class Cause:
    """`where`: the address and the port that it has to do with, if any."""

    code: str
    message: str
    where: str = ""


class ClientError(Exception):
    """What was asked for was not done. The message says what happened, why, and what to do."""

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.cause = Cause(code=code, message=message, where=where)

    @property
    def code(self) -> str:
        return self.cause.code

    @property
    def message(self) -> str:
        return self.cause.message


class NotRegistered(ClientError):
    """The authorization application did not accept the project. The code is its own, the message its words."""


class StorageError(ClientError):
    """What must be remembered cannot be read or written (`not_saved`), or the key is gone (`damaged_key`).

    No message has left: each is recorded first.
    """


ANSWERED = Cause(code="answered", message="The authorization application answered again.")

LAPSED = Cause(
    code="lapsed",
    message="No answer came for more than 24 hours, so the project is blocked. It heals when the authorization "
    "application attests that it was shut down for no longer than that, and within 26 hours of the last answer.",
)

FORK = Cause(
    code="fork",
    message="Another copy of this project speaks with the authorization application. Stop the other copy, or register "
    "this one as a project of its own.",
)

DAMAGED_MEMORY = Cause(
    code="damaged_memory",
    message="The file that remembers the registration is damaged or gone. Register again: the project has its key "
    "still, so the slots that it holds are its own.",
)

DAMAGED_KEY = Cause(
    code="damaged_key",
    message="The key of the project is damaged or gone. Register again: the project gets a new key, and its old slots "
    "free themselves 24 hours after their last request.",
)

LOST: Mapping[Loss, Cause] = {
    Loss.NO_FEEDBACK: Cause(
        code="no_feedback",
        message="No answer came for more than 24 hours, so the registration failed. Register again.",
    ),
    Loss.UNKNOWN: Cause(
        code="unknown",
        message="The authorization application has no such registration any more, so it failed. Register again.",
    ),
    Loss.REAUTHENTICATE: Cause(
        code="reauthenticate",
        message="The authorization application was shut down for more than 24 hours, so the registration failed. Scan "
        "its QR code and enter the code, then register again.",
    ),
}
"""Why a registration failed."""


def registered(where: str) -> Cause:
    return Cause(
        code="registered", message=f"The authorization application at {where} accepted the project.", where=where
    )


def reconnected(where: str) -> Cause:
    return Cause(
        code="reconnected",
        message=f"The authorization application at {where} was restarted, and attests that it was shut down for no "
        "more than 24 hours.",
        where=where,
    )


def released(where: str) -> Cause:
    return Cause(code="released", message=f"The authorization application at {where} has freed the slots.", where=where)


def frees_itself(where: str) -> Cause:
    """A registration was given up, and that was not confirmed (R12)."""
    return Cause(
        code="frees_itself",
        message=f"{where} did not confirm it. The slots there free themselves 24 hours after their last request.",
        where=where,
    )
