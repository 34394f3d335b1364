"""Sessions: what the cookie holds of them, when they end, and what counts as a click."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from flask import Flask, Response, g, request, session
from flask.sessions import SecureCookieSessionInterface

from wizard.domain.account import Account
from wizard.domain.session import Ending, Session, SessionLimits
from wizard.ports import Accounts
from wizard.web.htmx import wants_fragment
from wizard.web.who import SAFE

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GO_ON_ALONE = frozenset({"uploads.one", "uploads.passport"})
"""The endpoints at which a browser works while nobody clicks: an upload takes longer than a break."""
ASK_ALONE = GO_ON_ALONE | {"static", "health.healthz", "account.standing", None}
"""Those that no click leads to."""
HEADER = "Session-Left"
"""Says how long it goes on without another click, and how long at most: two numbers of milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A session that goes on, as of this request."""

    account: Account
    session: Session
    idle_at: datetime
    over_at: datetime
    now: datetime

    @property
    def left(self) -> tuple[int, int]:
        """In milliseconds: without another click, and at most."""
        return tuple(max(0, (at - self.now) // MILLISECOND) for at in (self.idle_at, self.over_at))  # type: ignore[return-value]


KEPT = ("browser",)
"""What outlives a session, since it says which browser this is, and nothing of who uses it (presence.place)."""


class Sessions:
    """Begins sessions, ends them, and tells whose this one is. What is kept of one is in its own signed cookie."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime], limits: SessionLimits) -> None:
        self._accounts, self._clock, self.limits = accounts, clock, limits

    def begin(self, account: Account) -> None:
        """A new session, with nothing left of the one before (fixation): not even by its own cookie it goes on."""
        self.end()
        now = self._clock()
        begun = Session(id=token_hex(16), account=account.name, epoch=account.epoch, begun_at=now, used_at=now)
        session.update(packed(begun))

    def end(self) -> None:
        """Ended for good: a copy of the cookie is worth nothing any more."""
        known, kept = unpacked(), {name: session[name] for name in KEPT if name in session}
        session.clear()
        session.update(kept)
        if known is not None:
            self._accounts.end_session(known.id, self._clock(), known.over_at(self.limits))

    def standing(self) -> Standing | None:
        """Whose session it is, as long as it goes on. A click makes it go on."""
        known, now = unpacked(), self._clock()
        if known is None:
            return None
        g.session_ending = known.ending(now, self.limits, at_work=request.endpoint in GO_ON_ALONE)
        if g.session_ending is not None:
            return None
        account = self._accounts.account_in_session(known.account, known.id)
        if account is None or account.epoch != known.epoch:
            g.session_ending = Ending.ELSEWHERE
            return None
        if is_click():
            known = known.used(now)
            session.update(packed(known))
        idle_at, over_at = known.idle_at(self.limits), known.over_at(self.limits)
        return Standing(account=account, session=known, idle_at=idle_at, over_at=over_at, now=now)


def is_click() -> bool:
    """Whether somebody did something."""
    return not asks_by_itself() and request.endpoint not in ASK_ALONE


def asks_by_itself() -> bool:
    """Whether it is a poll or the end of a countdown: nothing else that htmx asks for leaves all as it was."""
    return request.method in SAFE and wants_fragment()


def ending() -> Ending | None:
    """Why the session of this browser is none any more, if that is so."""
    found: Ending | None = g.get("session_ending")
    return found


def standing() -> Standing | None:
    """The session with an account by which this request was let in; None for strangers, and for other ways."""
    found: Standing | None = g.get("standing")
    return found


def packed(begun: Session) -> dict[str, object]:
    return {
        "account": begun.account,
        "epoch": begun.epoch,
        "session": begun.id,
        "begun": (begun.begun_at - EPOCH) // MILLISECOND,
        "used": (begun.used_at - EPOCH) // MILLISECOND,
    }


def unpacked() -> Session | None:
    """What the cookie says, which only the wizard can have written; None where nobody has signed in."""
    if any(name not in session for name in ("account", "epoch", "session", "begun", "used")):
        return None
    return Session(
        id=session["session"],
        account=session["account"],
        epoch=session["epoch"],
        begun_at=EPOCH + session["begun"] * MILLISECOND,
        used_at=EPOCH + session["used"] * MILLISECOND,
    )


def tell_what_is_left(response: Response) -> Response:
    if (found := standing()) is not None:
        response.headers[HEADER] = "{}, {}".format(*found.left)
    return response


class Cookies(SecureCookieSessionInterface):
    """Flask's, but secure by itself wherever the page came by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return super().get_cookie_secure(app) or request.is_secure


def bake(app: Flask, *, secure: bool) -> None:
    """Cookies that scripts do not reach and other sites do not send, named after this installation.

    A browser sends the cookies of one host to all its ports: two installations would sign each other's people out.
    """
    app.session_interface = Cookies()
    app.config |= {
        "SESSION_COOKIE_NAME": f"wizard-{fingerprint(str(app.secret_key))}",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": secure,
    }


def fingerprint(secret_key: str) -> str:
    """Eight digits that differ from one installation to the other, and tell nothing of its key."""
    return hmac.digest(secret_key.encode(), b"the name of the cookie", "sha256").hex()[:8]
