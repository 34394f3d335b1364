"""What an admin gives away of a registration: a link for observers, and the work on it to another browser.

The secret of an observer link is exchanged at once for a session, so that no later address holds it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_hex, token_urlsafe

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from wizard.domain.account import Account
from wizard.domain.person import Person, Role
from wizard.domain.registration import Registration
from wizard.domain.share import HAND_OVER_LIFE, LIVES, HandOver, ObserverLink
from wizard.errors import InvalidInput, Problem, UnknownStep
from wizard.ports import Services
from wizard.text import say
from wizard.web import problems
from wizard.web.account import Door, hashed
from wizard.web.htmx import wants_fragment
from wizard.web.presence import life, place
from wizard.web.who import person, somebody

PUBLIC = frozenset({"shares.observe", "shares.offered", "shares.take"})
"""The endpoints that need no session: who knows the secret may come in."""
SURFACES = frozenset({"wizard"})
"""The blueprints that observers by a link reach; and of these only what is of their registration."""
NOTED_AFTER = timedelta(minutes=1)
"""That a link is used is written down no more often than this."""
MOST_WATCHED = 8
"""Registrations that one browser can watch at the same time: a cookie holds them."""
LIFE_WORDS = {"1h": _("1 hour"), "24h": _("24 hours"), "7d": _("7 days")}

NO_SUCH_LINK = Problem(
    happened=say("This link shows nothing any more."),
    why=say("It has ended, was revoked, or was not copied in full."),
    todo=say("Ask whoever sent it for a new one."),
)
ENDED = Problem(
    happened=say("You are not watching any more."),
    why=say("The link has come to its end, or was revoked. The registration itself goes on without you."),
    todo=say("Ask whoever sent it for a new one, if you still want to watch."),
)
NO_SUCH_HAND_OVER = Problem(
    happened=say("Nothing can be taken over by this link any more."),
    why=say("It works once, and for five minutes."),
    todo=say("Make a new one in the browser in which you are signed in."),
)


def blueprint(desk: "Counter") -> Blueprint:
    pages = Blueprint("shares", __name__)
    shared = "/registrations/<id>/share"
    for method, rule, view in (
        ("GET", shared, desk.shared),
        ("GET", f"{shared}/<kind>", desk.came_back),
        ("POST", f"{shared}/links", desk.make_link),
        ("POST", f"{shared}/links/<link>/revoke", desk.revoke),
        ("POST", f"{shared}/hand-overs", desk.hand_over),
        ("GET", f"{shared}/hand-overs/<hand_over>", desk.handed_over),
        ("GET", "/observe/<token>", desk.observe),
        ("GET", "/hand-over/<token>", desk.offered),
        ("POST", "/hand-over/<token>", desk.take),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Counter:
    """Where links are given out, and taken."""

    def __init__(self, services: Services, door: Door) -> None:
        self.shares, self.store, self.turns, self.clock = (
            services.shares,
            services.store,
            services.turns,
            services.clock,
        )
        self.door = door

    def identify(self) -> Person | None:
        """Who watches through a link that is still good (who.Identify)."""
        link, now = self.watched(), self.clock()
        if link is None or not link.is_good(now):
            return None
        if link.used_at is None or now - link.used_at >= NOTED_AFTER:
            self.shares.link_used(link.id, now)
        g.watched_until = link.expires_at
        return Person(
            name=f"observer {link.id}", role=Role.OBSERVER, surfaces=SURFACES, registration=link.registration_id
        )

    def watched(self) -> ObserverLink | None:
        """The link by which this browser watches what it asks for: the newest one where it asks for something else."""
        watching: dict[str, str] = session.get("watching", {})
        if not watching:
            return None
        return self.shares.link(watching.get(asked_for(), list(watching.values())[-1]))

    def turn_away(self) -> ResponseReturnValue:
        """Who was watching is told that it is over; all others are shown the door."""
        if asked_for() in session.get("watching", {}):
            return problems.shown(ENDED, 410)
        return self.door.turn_away()

    def observe(self, token: str) -> ResponseReturnValue:
        link = self.shares.link_of(hashed(token))
        if link is None or not link.is_good(self.clock()):
            return problems.shown(NO_SUCH_LINK, 404)
        known = somebody()
        if known is None or known.surfaces is not None:  # who has signed in sees more than the link would let them
            others = {id: other for id, other in session.get("watching", {}).items() if id != link.registration_id}
            session["watching"] = dict([*others.items(), (link.registration_id, link.id)][-MOST_WATCHED:])
        response = make_response(redirect(url_for("wizard.resume", id=link.registration_id), 303))
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def shared(self, id: str) -> ResponseReturnValue:
        return self.page(self.registration(id))

    def came_back(self, id: str, kind: str) -> ResponseReturnValue:
        """Someone loads again the address to which a button has sent its form."""
        return redirect(url_for(".shared", id=self.registration(id).id), 303)

    def make_link(self, id: str) -> ResponseReturnValue:
        registration, now, token = self.registration(id), self.clock(), token_urlsafe(24)
        span = LIVES.get(request.form.get("life", ""))
        if span is None:
            raise InvalidInput(
                say("A link cannot be good for that long."), todo=say("Choose 1 hour, 24 hours, or 7 days.")
            )
        link = ObserverLink(
            id=token_hex(6),
            token_hash=hashed(token),
            registration_id=registration.id,
            made_by=person().name,
            created_at=now,
            expires_at=now + span,
        )
        self.shares.add_link(link)
        return self.page(registration, link=link, address=self.address(".observe", token))

    def revoke(self, id: str, link: str) -> ResponseReturnValue:
        registration, found = self.registration(id), self.shares.link(link)
        if found is None or found.registration_id != registration.id:
            raise UnknownStep(say("There is no such link."), todo=say("Load the page again."))
        self.shares.revoke_link(link, self.clock())
        if wants_fragment():
            return self.page(registration)
        return redirect(url_for(".shared", id=id), 303)

    def hand_over(self, id: str) -> ResponseReturnValue:
        registration, now, token = self.registration(id), self.clock(), token_urlsafe(24)
        account = self.account(person().name)
        hand_over = HandOver(
            id=token_hex(6),
            token_hash=hashed(token),
            registration_id=registration.id,
            account=account.name,
            epoch=account.epoch,
            browser=place().browser,
            created_at=now,
            expires_at=now + HAND_OVER_LIFE,
        )
        self.shares.add_hand_over(hand_over)
        return self.page(registration, hand_over=hand_over, address=self.address(".offered", token))

    def handed_over(self, id: str, hand_over: str) -> ResponseReturnValue:
        """How it stands with one; 204 for a page that waits, as long as nobody has taken it."""
        registration, found = self.registration(id), self.shares.hand_over(hand_over)
        if found is None or (found.registration_id, found.account) != (registration.id, person().name):
            raise UnknownStep(say("There is no such hand-over."), todo=say("Load the page again."))
        if not wants_fragment():
            return self.page(registration, hand_over=found)
        if found.is_good(self.clock()):
            return Response(status=204)
        return render_template("shares/_hand_over.html", **self.seen(registration), hand_over=found)

    def offered(self, token: str) -> ResponseReturnValue:
        """Looking at it does not use it up: a previewer of links must not."""
        found = self.shares.hand_over_of(hashed(token))
        if found is None or not found.is_good(self.clock()):
            return problems.shown(NO_SUCH_HAND_OVER, 404)
        return render_template("shares/take.html", hand_over=found)

    def take(self, token: str) -> ResponseReturnValue:
        """Begin a session of the same account here, and go on where the other browser was at work."""
        taken = self.shares.take_hand_over(hashed(token), self.clock())
        account = self.door.accounts.account(taken.account) if taken else None
        if taken is None or account is None or account.epoch != taken.epoch:
            return problems.shown(NO_SUCH_HAND_OVER, 404)
        self.door.begin(account)
        g.person = self.door.identify()
        self.pass_on(taken)
        return redirect(url_for("wizard.resume", id=taken.registration_id), 303)

    def pass_on(self, taken: HandOver) -> None:
        """The work passes to this browser, too, if it was the other one's turn."""
        here, now = place(), self.clock()
        turn = self.turns.arrive(taken.registration_id, here, now, life())
        if (turn.place.person, turn.place.browser) == (taken.account, taken.browser):
            self.turns.take_over(taken.registration_id, here, now, life())

    def registration(self, id: str) -> Registration:
        """The one of that id; for whoever does not see it there is none. Only who signed in gives it away."""
        registration = self.store.registration(id)
        if not person().sees(registration):
            raise UnknownStep(say("There is no such registration."), todo=say("Go back to the start."))
        return registration

    def account(self, name: str) -> Account:
        account = self.door.accounts.account(name)
        if account is None:
            raise UnknownStep(say("There is no account of that name any more."), todo=say("Sign in again."))
        return account

    def address(self, endpoint: str, token: str) -> str:
        """In full: as the operator set it, or as the page that asks was reached."""
        url = self.door.entrance.url
        return url + url_for(endpoint, token=token, _external=not url)

    def open_links(self, registration_id: str) -> list[ObserverLink]:
        """Those that are still good, the newest first."""
        now = self.clock()
        return [link for link in self.shares.links(registration_id) if link.is_good(now)]

    def seen(self, registration: Registration) -> dict[str, object]:
        return {"registration": registration, "now": self.clock()}

    def page(
        self,
        registration: Registration,
        *,
        link: ObserverLink | None = None,
        hand_over: HandOver | None = None,
        address: str = "",
    ) -> str:
        """What is shared of it. A secret is in the `address` of the one answer that has made it."""
        template = "shares/_fragment.html" if wants_fragment() else "shares/page.html"
        return render_template(
            template, **self.seen(registration), fresh_link=link, hand_over=hand_over, address=address
        )

    @property
    def names(self) -> dict[str, Callable[..., object]]:
        """What every template may ask."""
        return {
            "open_links": self.open_links,
            "life_words": lambda: LIFE_WORDS,
            "watched_until": watched_until,
        }


def asked_for() -> str:
    """The id of the registration whose page it is, or nothing."""
    return str((request.view_args or {}).get("id", ""))


def watched_until() -> datetime | None:
    """When the link ends by which the page is watched."""
    found: datetime | None = g.get("watched_until")
    return found
