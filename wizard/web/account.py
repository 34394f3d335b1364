"""Signing in: by the one-time link that the terminal prints, then by a password of the admin's choice."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.security import check_password_hash, generate_password_hash
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length, Regexp

from wizard.domain.account import Account
from wizard.domain.person import Person
from wizard.errors import Problem
from wizard.ports import Accounts
from wizard.text import say
from wizard.web.htmx import go_to, shown_path

SHORTEST_PASSWORD = 10
PUBLIC = frozenset({"account.sign_in", "account.enter", "account.link", "account.follow"})
"""The endpoints that need no session."""
OWN = frozenset({"account.sign_out"})
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
DUMMY_HASH = generate_password_hash("nobody has this password", "scrypt")
"""Checked for unknown names, so that they take as long as known ones."""


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The first person chooses a name and a password."""

    name = StringField(
        _("Your name"),
        [
            InputRequired(_("Enter the name that you want to sign in with.")),
            Length(max=64, message=_("A name has at most 64 characters.")),
            Regexp(r"^[^\x00-\x1f]+$", message=_("A name cannot hold control characters.")),
        ],
        default="admin",
    )
    password = PasswordField(
        _("New password"),
        [
            InputRequired(_("Enter a password of at least 10 characters.")),
            Length(SHORTEST_PASSWORD, 1024, message=_("The password needs at least 10 characters.")),
        ],
    )
    again = PasswordField(
        _("The same password again"), [EqualTo("password", message=_("The two passwords are not the same."))]
    )


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password, at every later visit."""

    name = StringField(_("Your name"), [InputRequired(_("Enter your name."))])
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password."))])


class LinkForm(FlaskForm):  # type: ignore[misc]
    """Nothing to fill in: who holds the link may come in."""


def hashed(token: str) -> str:
    """What is kept of a link's token: 64 hex digits of SHA-256."""
    return sha256(token.encode()).hexdigest()


def blueprint(door: "Door") -> Blueprint:
    pages = Blueprint("account", __name__)
    for method, rule, view in (
        ("GET", "/sign-in/<token>", door.link),
        ("POST", "/sign-in/<token>", door.follow),
        ("GET", "/sign-in", door.sign_in),
        ("POST", "/sign-in", door.enter),
        ("POST", "/sign-out", door.sign_out),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Door:
    """Who is let in, and how."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self.accounts, self.clock = accounts, clock

    def turn_away(self) -> ResponseReturnValue:
        """To where one signs in, and back from there."""
        if "Tus-Resumable" in request.headers:  # a program, which would take the page of the door for success
            return Response("Sign in first.\n", 401, mimetype="text/plain")
        wanted = shown_path() or (request.path if request.method == "GET" else None)
        return go_to(url_for("account.sign_in", next=wanted))

    def identify(self) -> Person | None:
        """Who has signed in with an account (who.Identify)."""
        account = self.accounts.account(session["account"]) if "account" in session else None
        if account is None or account.epoch != session["epoch"]:
            return None
        return Person(name=account.name, role=account.role)

    def link(self, token: str) -> ResponseReturnValue:
        if not self.accounts.link_is_good(hashed(token), self.clock()):
            return shown(SignInForm(), problem=NO_SUCH_LINK), 404
        return welcome(self.link_form())

    def follow(self, token: str) -> ResponseReturnValue:
        """The link is used up here, not by looking at it: a previewer of links must not."""
        form = self.link_form()
        if not form.validate():
            return welcome(form), 422
        if not self.accounts.use_link(hashed(token), self.clock()):
            return shown(SignInForm(), problem=NO_SUCH_LINK), 404
        begin(self.accounts.owner() or self.new_account(form))
        return redirect(url_for("wizard.home"), 303)

    def link_form(self) -> FlaskForm:
        """The first person chooses a password; later ones are let in as the owner of the installation."""
        return LinkForm() if self.accounts.owner() else PasswordForm()

    def new_account(self, form: FlaskForm) -> Account:
        account = Account(
            name=form["name"].data.strip(),
            password_hash=generate_password_hash(form["password"].data, "scrypt"),
            created_at=self.clock(),
        )
        self.accounts.add_account(account)
        return account

    def sign_in(self) -> ResponseReturnValue:
        return shown(SignInForm())

    def enter(self) -> ResponseReturnValue:
        form = SignInForm()
        if not form.validate():
            return shown(form), 422
        account = self.accounts.account(form.name.data)
        right = check_password_hash(account.password_hash if account else DUMMY_HASH, form.password.data)
        if not (account and right):
            return shown(form, problem=NO_SUCH_ACCOUNT), 422
        begin(account)
        return redirect(inside(request.args.get("next")) or url_for("wizard.home"), 303)

    def sign_out(self) -> ResponseReturnValue:
        session.clear()
        return redirect(url_for("account.sign_in"), 303)


def welcome(form: FlaskForm) -> str:
    return render_template("account/link.html", form=form, chooses=isinstance(form, PasswordForm))


def shown(form: SignInForm, problem: Problem | None = None) -> str:
    return render_template("account/sign_in.html", form=form, problem=problem)


def begin(account: Account) -> None:
    """A new session, with nothing left of the one before."""
    session.clear()
    session["account"], session["epoch"] = account.name, account.epoch


def inside(target: str | None) -> str | None:
    """The path to go on to, when it is one of ours; anything that leads elsewhere is dropped."""
    if target is None or not target.startswith("/") or "\\" in target:
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None
