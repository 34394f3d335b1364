"""The web's edge as the audit trail sees it: each request that would change something is noted once it is answered.

The entry follows the act in a transaction of its own. What cannot be noted is logged in full, and the answer stands.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from flask import Flask, Response, g, request, template_rendered

from wizard.domain.audit import Deed, Outcome, canonical, subject_of, way_of, word
from wizard.domain.person import Person
from wizard.domain.registration import Registration
from wizard.errors import Problem, UnknownStep
from wizard.ports import Accounts, Services
from wizard.text import Text, say
from wizard.web.audit_endpoints import BEGIN_SESSIONS, ONLY, act_of, details_of, named
from wizard.web.who import SAFE, Identify, somebody

log = logging.getLogger("wizard.audit")

MOST_OF_STRANGERS = 30
"""Refusals of strangers, a minute, for each act: whoever hammers at the door must not fill the disk."""
MINUTE = timedelta(minutes=1)
REASONS: Mapping[int, Text] = {
    400: say("The page was opened in another session."),
    401: say("Nobody was signed in."),
    403: say("They may not do that."),
    404: say("There was no such thing."),
    409: say("It was changed meanwhile."),
    413: say("What was sent was too large."),
    422: say("What was entered could not be used."),
    429: say("It was tried too often."),
}
"""Where the page has no sentence of its own."""
OTHERWISE = say("It was not answered as asked (HTTP %(status)s).")


class Valve:
    """Lets so many a minute pass for each act, and counts the others. Of one process."""

    def __init__(self, most: int = MOST_OF_STRANGERS) -> None:
        self._most = most
        self._passed: dict[str, list[datetime]] = defaultdict(list)
        self._held: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def passes(self, act: str, now: datetime) -> int | None:
        """How many like it were held back before it; None when it is held back itself."""
        with self._lock:
            recent = [moment for moment in self._passed[act] if now - moment < MINUTE]
            if len(recent) >= self._most:
                self._held[act] += 1
                return None
            self._passed[act] = [*recent, now]
            return self._held.pop(act, 0)


class Noting:
    """Notes what was asked, by whom, and what came of it."""

    def __init__(
        self, services: Services, accounts: Accounts, ways: Sequence[Identify], *, public: Collection[str]
    ) -> None:
        self._services, self._accounts, self._ways = services, accounts, ways
        self._public = frozenset(public)
        self._valve = Valve()

    def attend(self, app: Flask) -> None:
        template_rendered.connect(remember, app)
        app.after_request(self)

    def __call__(self, response: Response) -> Response:
        endpoint = request.endpoint
        act = act_of(endpoint, safe=request.method in SAFE) if endpoint else None
        if act is not None:
            self._note(act, response)
        return response

    def _note(self, act: str, response: Response) -> None:
        deed = None
        try:
            deed = self._deed(act, response)
            if deed is not None:
                self._services.trail.append(deed)
        except Exception:
            lost = canonical(0, deed).decode() if deed else act
            log.exception("This could not be noted in the audit trail: %s", lost)

    def _deed(self, act: str, response: Response) -> Deed | None:
        now, status = self._services.clock(), self._status(response)
        if status not in ONLY.get(act, (status,)):
            return None
        person = self._person(refused=status >= 400)
        unnoted = self._valve.passes(act, now) if person is None and status >= 400 else 0
        if unnoted is None:
            return None
        registration = self._registration(response)
        details = (
            details_of(act, refused=status >= 400)
            | (subject_of(registration) if registration else {})
            | g.get("shown_ids", {})
        )
        return Deed(
            at=now,
            who=word(person.name if person else self._named()),
            way=way_of(person),
            address=word(request.remote_addr or ""),
            act=act,
            outcome=outcome_of(status),
            status=status,
            reason=reason(response, status) if status >= 400 else None,
            registration=registration.id if registration else "",
            details=details | ({"unnoted": str(unnoted)} if unnoted else {}),
        )

    def _status(self, response: Response) -> int:
        """What HTTP calls the outcome; whoever was sent to the door was refused, though the answer says 303."""
        turned_away = somebody() is None and request.endpoint not in self._public
        return 401 if turned_away and response.status_code < 400 else response.status_code

    def _person(self, *, refused: bool) -> Person | None:
        """Who asked; where a session was begun just now, who they are since."""
        if refused or request.endpoint not in BEGIN_SESSIONS:
            return somebody()
        return next((found for identify in self._ways if (found := identify())), None)

    def _named(self) -> str:
        """The account that a stranger has named, when there is one of that name."""
        name = named()
        return name if name and self._accounts.account(name) else ""

    def _registration(self, response: Response) -> Registration | None:
        """The one in the address, that was begun, or that is shown; None when there is none of that id."""
        id = (request.view_args or {}).get("id") or begun(response) or g.get("shown_registration")
        try:
            return self._services.store.registration(id) if id else None
        except UnknownStep:
            return None


SHOWN_IDS: Mapping[str, str] = {"fresh_link": "link", "fresh": "invitation"}
"""What was just made, by the name that the page has for it, and what the detail is called that its id becomes."""


def remember(app: Flask, template: object, context: Mapping[str, object], **rest: object) -> None:
    """Keep what the page tells: the trail gives the same reason (flask.template_rendered)."""
    problem, registration = context.get("problem"), context.get("registration")
    if isinstance(problem, Problem):
        g.told = problem
    if isinstance(registration, Registration):
        g.shown_registration = registration.id
    made = {name: getattr(context.get(shown), "id", None) for shown, name in SHOWN_IDS.items()}
    g.shown_ids = {name: word(id) for name, id in made.items() if id}


def outcome_of(status: int) -> Outcome:
    if status < 400:
        return Outcome.DONE
    return Outcome.REFUSED if status < 500 else Outcome.FAILED


def reason(response: Response, status: int) -> Text:
    """The sentence that the person was told, or one for the status."""
    told: Problem | None = g.get("told")
    if told is not None:
        return told.happened
    if response.mimetype == "text/plain" and not response.is_streamed and status == response.status_code:
        first = response.get_data(as_text=True).partition("\n")[0]
        if first:
            return say("%(words)s", words=word(first))
    return REASONS.get(status) or say(OTHERWISE.msgid, status=status)


def begun(response: Response) -> str | None:
    """The id of the registration that a new one's address leads to."""
    return (response.location or "").rpartition("/")[2] if request.endpoint == "wizard.create" else None
