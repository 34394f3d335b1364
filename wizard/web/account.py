"""Signing in: by the one-time link that the terminal prints, or by a password; and what everybody does with their own
account."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from wizard.domain.account import Account
from wizard.domain.network import Network
from wizard.domain.person import Person
from wizard.domain.session import WARNING, Ending, SessionLimits
from wizard.errors import Problem
from wizard.ports import Accounts
from wizard.text import Text, say
from wizard.web import sessions
from wizard.web.htmx import go_to, shown_path
from wizard.web.passwords import ChangeForm, LinkForm, PasswordForm, SignInForm, hash_of, is_right
from wizard.web.sessions import MILLISECOND, Sessions, Standing, ending, standing
from wizard.web.throttle import Throttle

PUBLIC = frozenset({"account.sign_in", "account.enter", "account.link", "account.follow"})
"""The endpoints that need no session."""
OWN = frozenset({f"account.{view}" for view in ("sign_out", "stay", "change_password", "sign_out_everywhere")})
"""Those that concern nobody but who is signed in (who.Guard)."""

NO_SUCH_LINK = Problem(
    happened=say("This sign-in link does not work any more."),
    why=say("It works once, and for 24 hours."),
    todo=say("Sign in with your password, or start the wizard again to get a new link in the terminal."),
)
NO_SUCH_ACCOUNT = Problem(
    happened=say("The name and the password do not belong together."),
    todo=say("Check both, then sign in again. A new link in the terminal lets you in without a password."),
)
TOO_SOON = Problem(
    happened=say("Too many wrong passwords: this one was not looked at."),
    why=say(
        "They came with this name, or from your network. A browser that has signed in before does not wait for others."
    ),
)
WRONG_PASSWORD = Problem(
    happened=say("This is not the password that you have now."), todo=say("Enter it again. Nothing was changed.")
)
DONE = {
    "everywhere": say("You are signed out in every browser, this one included."),
    "password": say("The password was changed. All other browsers were signed out."),
    "removed": say("Your account was removed, and you are signed out."),
}
"""What a page says after something was done, by the word in its address."""


@dataclass(frozen=True, kw_only=True)
class Entrance:
    """How people come in: what an operator sets."""

    limits: SessionLimits = field(default_factory=SessionLimits)
    proxies: tuple[Network, ...] = ()
    """Whose word counts for where a request comes from."""
    url: str = ""
    """What links begin with, without a slash at the end; nothing where the address of the request will do."""

    @property
    def is_secure(self) -> bool:
        return self.url.startswith("https:")


def hashed(token: str) -> str:
    """What is kept of a link's token: 64 hex digits of SHA-256."""
    return sha256(token.encode()).hexdigest()


def blueprint(door: "Door") -> Blueprint:
    pages = Blueprint("account", __name__)
    pages.after_app_request(sessions.tell_what_is_left)
    for method, rule, view in (
        ("GET", "/sign-in/<token>", door.link),
        ("POST", "/sign-in/<token>", door.follow),
        ("GET", "/sign-in", door.sign_in),
        ("POST", "/sign-in", door.enter),
        ("POST", "/sign-out", door.sign_out),
        ("GET", "/account", door.show),
        ("POST", "/account/password", door.change_password),
        ("POST", "/account/sign-out-everywhere", door.sign_out_everywhere),
        ("GET", "/account/standing", door.standing),
        ("POST", "/account/stay", door.stay),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Door:
    """Who is let in, and how."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime], secret: str, entrance: Entrance) -> None:
        self.accounts, self.clock, self.entrance = accounts, clock, entrance
        self.sessions = Sessions(accounts, clock, entrance.limits)
        self.throttle = Throttle(accounts, clock, secret)

    def turn_away(self) -> ResponseReturnValue:
        """To where one signs in, and back from there."""
        if "Tus-Resumable" in request.headers:  # a program, which would take the page of the door for success
            return Response("Sign in first.\n", 401, mimetype="text/plain")
        if ending() is not None and sessions.asks_by_itself():  # the page knows whether it can be left now
            return Response(status=204, headers={sessions.HEADER: "0, 0"})
        return go_to(url_for("account.sign_in", next=shown_path() or wanted()))

    def identify(self) -> Person | None:
        """Who has signed in with an account (who.Identify)."""
        g.standing = found = self.sessions.standing()
        return Person(name=found.account.name, role=found.account.role) if found else None

    def begin(self, account: Account) -> None:
        """Sign them in, in this browser."""
        self.sessions.begin(account)
        self.accounts.signed_in(account.name, self.clock())
        self.throttle.remember(account.name)

    def link(self, token: str) -> ResponseReturnValue:
        if not self.accounts.link_is_good(hashed(token), self.clock()):
            return self.at_the_door(SignInForm(), problem=NO_SUCH_LINK), 404
        return welcome(self.link_form())

    def follow(self, token: str) -> ResponseReturnValue:
        """The link is used up here, not by looking at it: a previewer of links must not."""
        form = self.link_form()
        if not form.validate():
            return welcome(form), 422
        if not self.accounts.use_link(hashed(token), self.clock()):
            return self.at_the_door(SignInForm(), problem=NO_SUCH_LINK), 404
        self.begin(self.accounts.owner() or self.first_account(form))
        return redirect(url_for("wizard.home"), 303)

    def link_form(self) -> FlaskForm:
        """The first person chooses a password; later ones are let in as the owner of the installation."""
        return LinkForm() if self.accounts.owner() else PasswordForm(name="admin")

    def first_account(self, form: FlaskForm) -> Account:
        account = new_account(form, self.clock())
        self.accounts.add_account(account)
        return account

    def sign_in(self) -> ResponseReturnValue:
        return self.at_the_door(SignInForm())

    def enter(self) -> ResponseReturnValue:
        form = SignInForm()
        if not form.validate():
            return self.at_the_door(form), 422
        name, attempt = form["name"].data, self.throttle.at_the_door(form["name"].data)
        if (wait := self.throttle.charge(attempt)) is not None:
            return too_soon(wait, self.at_the_door(form, problem=TOO_SOON, wait=wait))
        account = self.accounts.account(name)
        if not is_right(account, form["password"].data) or account is None:
            return self.at_the_door(form, problem=NO_SUCH_ACCOUNT), 422
        self.throttle.was_right(attempt)
        self.begin(account)
        return redirect(inside(request.args.get("next")) or url_for("wizard.home"), 303)

    def sign_out(self) -> ResponseReturnValue:
        self.sessions.end()
        return redirect(url_for("account.sign_in"), 303)

    def show(self) -> ResponseReturnValue:
        return own_page(ChangeForm())

    def change_password(self) -> ResponseReturnValue:
        form, account = ChangeForm(), own().account
        if not form.validate():
            return own_page(form), 422
        attempt = self.throttle.inside(account.name)
        if (wait := self.throttle.charge(attempt)) is not None:
            return too_soon(wait, own_page(form, problem=TOO_SOON, wait=wait))
        if not is_right(account, form["current"].data):
            return own_page(form, problem=WRONG_PASSWORD), 422
        self.throttle.was_right(attempt)
        self.begin(self.accounts.change_password(account, hash_of(form["password"].data)))
        return redirect(url_for("account.show", done="password"), 303)

    def sign_out_everywhere(self) -> ResponseReturnValue:
        self.accounts.raise_epoch(own().account.name)
        self.sessions.end()
        return redirect(url_for("account.sign_in", done="everywhere"), 303)

    def standing(self) -> ResponseReturnValue:
        """How long the session goes on, in a header; asking is no click."""
        own()
        return Response(status=204)

    def stay(self) -> ResponseReturnValue:
        """A click, and nothing else."""
        own()
        return Response(status=204)

    def at_the_door(self, form: SignInForm, problem: Problem | None = None, wait: timedelta | None = None) -> str:
        why = None if problem or "done" in request.args else ending()
        return render_template(
            "account/sign_in.html",
            form=form,
            problem=problem,
            wait=wait,
            free_at=wait and self.clock() + wait,
            ended=why and ended(why, self.entrance.limits),
            done=done(),
        )


def own() -> Standing:
    """The session of whoever asks; 404 for those who came in without an account: they have nothing of their own."""
    return standing() or abort(404)


def own_page(form: ChangeForm, problem: Problem | None = None, wait: timedelta | None = None) -> str:
    mine = own()
    free_at = wait and mine.now + wait
    return render_template(
        "account/show.html", form=form, mine=mine, problem=problem, wait=wait, free_at=free_at, done=done()
    )


def welcome(form: FlaskForm) -> str:
    return render_template("account/link.html", form=form, chooses=isinstance(form, PasswordForm))


def new_account(form: FlaskForm, now: datetime) -> Account:
    return Account(name=form["name"].data, password_hash=hash_of(form["password"].data), created_at=now)


def too_soon(wait: timedelta, page: str) -> Response:
    """429 (RFC 6585, 4), with the seconds to wait, rounded up."""
    return make_response(page, 429, {"Retry-After": str(-(-wait // timedelta(seconds=1)))})


def done() -> Text | None:
    return DONE.get(request.args.get("done", ""))


def ended(why: Ending, limits: SessionLimits) -> Problem:
    """What whoever comes back is told."""
    minutes, hours = limits.idle // timedelta(minutes=1), limits.absolute // timedelta(hours=1)
    happened = {
        Ending.IDLE: say("You were signed out after %(minutes)s minutes without a click.", minutes=minutes),
        Ending.OVER: say("You were signed out, as %(hours)s hours had passed since you signed in.", hours=hours),
        Ending.ELSEWHERE: say(
            "You were signed out from elsewhere: everywhere at once, by a new password, or by an admin."
        ),
    }
    return Problem(happened=happened[why], why=say("Nothing was lost."))


def warning() -> dict[str, object] | None:
    """What the page needs to warn before the session ends; None where there is none that could."""
    found = standing()
    return {"left": found.left, "before": WARNING // MILLISECOND} if found else None


def wanted() -> str | None:
    """Where they wanted to go: for what a form has sent, the page that it was on."""
    if request.method == "GET":
        return request.full_path.removesuffix("?")
    page = urlsplit(request.referrer or "")
    return page.path if page.netloc == request.host else None


def inside(target: str | None) -> str | None:
    """The path to go on to, when it is one of ours; anything that leads elsewhere is dropped."""
    if target is None or not target.startswith("/") or "\\" in target:
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
