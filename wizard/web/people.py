"""Who has an account, and who is invited to make one."""

from collections.abc import Callable
from datetime import datetime
from secrets import token_hex, token_urlsafe

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _

from wizard.domain.account import INVITATION_LIFE, Account, Invitation
from wizard.domain.person import Role
from wizard.errors import Forbidden, InvalidInput, Problem, UnknownStep, WizardError
from wizard.ports import Accounts
from wizard.text import say
from wizard.web import problems
from wizard.web.account import Door, hashed, new_account
from wizard.web.passwords import PasswordForm
from wizard.web.who import person

PUBLIC = frozenset({"people.invited", "people.join"})
"""The endpoints that need no session: who knows the secret of an invitation may come in."""
ROLE_WORDS = {Role.ADMIN: _("admin"), Role.OBSERVER: _("observer")}
DONE = {
    "role": say("The role was changed. It counts from their next click on."),
    "removed": say("The account was removed, and every browser of it signed out."),
    "revoked": say("The invitation was revoked: nobody can come in by it."),
}
"""What the page says after something was done, by the word in its address."""
NO_SUCH_INVITATION = Problem(
    happened=say("This invitation does not work any more."),
    why=say("It works once, for 72 hours, and not after it was revoked."),
    todo=say("Ask an admin for a new one. If you have chosen a password already, sign in with it."),
)


def blueprint(reception: "Reception") -> Blueprint:
    pages = Blueprint("people", __name__)
    for method, rule, view in (
        ("GET", "/people", reception.index),
        ("POST", "/people/invitations", reception.invite),
        ("GET", "/people/invitations", reception.came_back),
        ("POST", "/people/invitations/revoke", reception.revoke),
        ("POST", "/people/role", reception.change_role),
        ("GET", "/people/removal", reception.removal),
        ("POST", "/people/removal", reception.remove),
        ("GET", "/join/<token>", reception.invited),
        ("POST", "/join/<token>", reception.join),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Reception:
    """Where admins see to who may come in, and those whom they invited come in for the first time."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime], door: Door) -> None:
        self.accounts, self.clock, self.door = accounts, clock, door

    def index(self) -> ResponseReturnValue:
        return self.page()

    def came_back(self) -> ResponseReturnValue:
        """Someone loads again the address to which a button has sent its form."""
        return redirect(url_for(".index"), 303)

    def invite(self) -> ResponseReturnValue:
        """The link is shown by this one answer: its secret is not kept."""
        now, token = self.clock(), token_urlsafe(24)
        invitation = Invitation(
            id=token_hex(6),
            token_hash=hashed(token),
            role=wanted_role(),
            made_by=person().name,
            created_at=now,
            expires_at=now + INVITATION_LIFE,
        )
        self.accounts.add_invitation(invitation)
        address = self.door.entrance.url + url_for(".invited", token=token, _external=not self.door.entrance.url)
        return self.page(fresh=invitation, address=address)

    def revoke(self) -> ResponseReturnValue:
        if not self.accounts.revoke_invitation(request.form.get("id", ""), self.clock()):
            return self.page(problem=NO_SUCH_INVITATION), 404
        return redirect(url_for(".index", done="revoked"), 303)

    def change_role(self) -> ResponseReturnValue:
        try:
            self.accounts.change_role(request.form.get("name", ""), wanted_role(), self.clock())
        except WizardError as error:
            return self.page(problem=error.problem), error.status
        return redirect(url_for(".index", done="role"), 303)

    def removal(self) -> ResponseReturnValue:
        """Asks once more, and says what goes with it."""
        ensure_an_admin_asks()
        account = self.account(request.args.get("name", ""))
        theirs = [it for it in self.accounts.invitations(self.clock()) if it.made_by == account.name]
        return render_template("people/removal.html", account=account, invitations=theirs)

    def remove(self) -> ResponseReturnValue:
        name = request.form.get("name", "")
        try:
            self.accounts.remove_account(name, self.clock())
        except WizardError as error:
            return self.page(problem=error.problem), error.status
        if name == person().name:
            self.door.sessions.end()
            return redirect(url_for("account.sign_in", done="removed"), 303)
        return redirect(url_for(".index", done="removed"), 303)

    def invited(self, token: str) -> ResponseReturnValue:
        invitation = self.accounts.invitation(hashed(token), self.clock())
        return gone() if invitation is None else welcome(PasswordForm(), invitation)

    def join(self, token: str) -> ResponseReturnValue:
        """The invitation is used up here, not by looking at it."""
        form, now = PasswordForm(), self.clock()
        invitation = self.accounts.invitation(hashed(token), now)
        if invitation is None:
            return gone()
        if not form.validate():
            return welcome(form, invitation), 422
        try:
            account = self.accounts.accept_invitation(hashed(token), new_account(form, now), now)
        except InvalidInput as taken:
            return welcome(form, invitation, problem=taken.problem), taken.status
        if account is None:
            return gone()
        self.door.begin(account)
        return redirect(url_for("wizard.home"), 303)

    def account(self, name: str) -> Account:
        account = self.accounts.account(name)
        if account is None:
            raise UnknownStep(say("There is no account of that name any more."), todo=say("Load the page again."))
        return account

    def page(self, *, problem: Problem | None = None, fresh: Invitation | None = None, address: str = "") -> str:
        accounts, now = self.accounts.accounts(), self.clock()
        return render_template(
            "people/index.html",
            accounts=accounts,
            invitations=self.accounts.invitations(now) if person().may_change else [],
            admins=[it.name for it in accounts if it.role is Role.ADMIN],
            now=now,
            problem=problem,
            fresh=fresh,
            address=address,
            done=DONE.get(request.args.get("done", "")),
            roles=ROLE_WORDS,
        )


def wanted_role() -> Role:
    given = request.form.get("role", "")
    if given not in list(Role):
        raise InvalidInput(say("There is no such role."), todo=say("Choose admin or observer."))
    return Role(given)


def ensure_an_admin_asks() -> None:
    if not person().may_change:
        raise Forbidden(say("Only an admin removes an account."), todo=say("Ask one to do it."))


def welcome(form: PasswordForm, invitation: Invitation, problem: Problem | None = None) -> Response:
    page = render_template(
        "people/join.html", form=form, invitation=invitation, problem=problem, role=ROLE_WORDS[invitation.role]
    )
    return make_response(page, 200, {"Referrer-Policy": "origin"})


def gone() -> ResponseReturnValue:
    return problems.shown(NO_SUCH_INVITATION, 404)
