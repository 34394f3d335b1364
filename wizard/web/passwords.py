"""The forms in which somebody chooses a password, or enters it."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from werkzeug.security import check_password_hash, generate_password_hash
from wtforms import Field, PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, ValidationError

from wizard.domain.account import Account

SHORTEST, LONGEST = 10, 1024
"""Characters of a password."""
LONGEST_NAME = 64
METHOD = "scrypt"
"""werkzeug's parameters: N = 2^15, r = 8, p = 1, which takes 32 MiB and some 80 ms each time."""


def hash_of(password: str) -> str:
    return generate_password_hash(password, METHOD)


NOBODYS = hash_of("nobody has this password")
"""Checked for unknown names, so that they take as long as known ones."""


def is_right(account: Account | None, password: str) -> bool:
    right = check_password_hash(account.password_hash if account else NOBODYS, password)
    return account is not None and right


def is_printable(form: FlaskForm, field: Field) -> None:
    """Neither control characters nor those that turn the direction of writing: a name is shown to others."""
    if not field.data.isprintable():
        raise ValidationError(_("A name cannot hold control characters."))


def new_password(label: object) -> PasswordField:
    length = Length(SHORTEST, LONGEST, message=_("The password needs at least 10 characters, and at most 1024."))
    return PasswordField(label, [InputRequired(_("Enter a password of at least 10 characters.")), length])


def again() -> PasswordField:
    same = EqualTo("password", message=_("The two passwords are not the same."))
    return PasswordField(_("The same password again"), [same])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """Somebody new chooses a name and a password."""

    name = StringField(
        _("Your name"),
        [
            DataRequired(_("Enter the name that you want to sign in with.")),
            Length(max=LONGEST_NAME, message=_("A name has at most 64 characters.")),
            is_printable,
        ],
        filters=[lambda name: name.strip() if name else name],
    )
    password = new_password(_("New password"))
    again = again()


class SignInForm(FlaskForm):  # type: ignore[misc]
    """Name and password, at every later visit."""

    name = StringField(
        _("Your name"),
        [DataRequired(_("Enter your name."))],
        filters=[lambda name: name.strip() if name else name],
    )
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password."))])


class ChangeForm(FlaskForm):  # type: ignore[misc]
    """Another password, by somebody who knows the one they have."""

    current = PasswordField(_("Current password"), [InputRequired(_("Enter the password that you have now."))])
    password = new_password(_("New password"))
    again = again()


class LinkForm(FlaskForm):  # type: ignore[misc]
    """Nothing to fill in: who holds the link may come in."""
