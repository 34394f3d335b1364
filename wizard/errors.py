"""The one family of errors. Each says what happened, why, and what to do next, in words that a person reads."""

from dataclasses import dataclass

from wizard.text import Text


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What a person is told when something did not go as asked. Kept with an operation, shown by the page."""

    happened: Text
    why: Text | None = None
    todo: Text | None = None
    raw: str = ""
    """The words of the engine or server itself, shown folded beneath."""
    field: str = ""
    """The form field it is about, or nothing."""
    offer: str = ""
    """A value for that field that would have worked, offered in one click, or nothing."""


class WizardError(Exception):
    """The root of the family. `status` is what HTTP calls it."""

    status = 500

    def __init__(
        self,
        happened: Text,
        *,
        why: Text | None = None,
        todo: Text | None = None,
        raw: str = "",
        field: str = "",
        offer: str = "",
    ) -> None:
        super().__init__(str(happened))
        self.problem = Problem(happened=happened, why=why, todo=todo, raw=raw, field=field, offer=offer)


class InvalidInput(WizardError):
    """Something given cannot be used: a value, a file, a code. Nothing was changed."""

    status = 422


class Forbidden(WizardError):
    """Whoever asks may not do that, or see it. Nothing was changed."""

    status = 403


class UnknownStep(WizardError):
    """There is no such step, registration, or page."""

    status = 404


class Stale(WizardError):
    """The registration was changed meanwhile, by another tab, person or process. Nothing was overwritten."""

    status = 409


class Busy(WizardError):
    """Somebody else is at it right now; it can be tried again in a moment. Nothing was changed."""

    status = 423


class BackendError(WizardError):
    """An engine or a server did not do what was asked. When `permanent`, asking again cannot help."""

    status = 502

    def __init__(
        self,
        happened: Text,
        *,
        permanent: bool,
        why: Text | None = None,
        todo: Text | None = None,
        raw: str = "",
    ) -> None:
        super().__init__(happened, why=why, todo=todo, raw=raw)
        self.permanent = permanent
