"""What each request that would change something is called in the audit trail, and what of it may be noted.

Only what is listed here is ever kept of a request: no code, password, token or address of a page can get into the trail
by being forgotten.
"""

import re
from collections.abc import Callable, Mapping

from flask import request
from werkzeug.exceptions import HTTPException

from wizard.domain.audit import word
from wizard.domain.audit_acts import known
from wizard.web.uploads import sent_metadata

Naming = Callable[[], str]
"""The act of this request."""


def step() -> str:
    """A step, or one of its buttons, by the slugs in the address."""
    slugs = request.view_args or {}
    return known("-".join(slugs[name] for name in ("slug", "action") if name in slugs), "step")


def piece() -> str:
    """Of a file on its way: a piece of it, or its end."""
    method = request.headers.get("X-HTTP-Method-Override", "") if request.method == "POST" else request.method
    return {"DELETE": "upload-remove"}.get(method, "upload-piece")


ENDPOINTS: Mapping[str, str | Naming] = {
    "account.change_password": "password",
    "account.enter": "sign-in",
    "account.follow": "link",
    "account.sign_out": "sign-out",
    "account.sign_out_everywhere": "sign-out-everywhere",
    "embed.launch": "launch",
    "people.change_role": "change-role",
    "people.invite": "invite",
    "people.join": "join",
    "people.remove": "remove-account",
    "people.revoke": "invite-revoke",
    "shares.hand_over": "hand-over",
    "shares.make_link": "share-link",
    "shares.revoke": "share-revoke",
    "shares.take": "hand-over-taken",
    "uploads.create": "upload-begin",
    "uploads.one": piece,
    "wizard.abort": "abort",
    "wizard.act": step,
    "wizard.create": "begin",
    "wizard.submit": step,
    "wizard.take_over": "take-over",
}
"""By endpoint: tests/web/test_audit.py sees to it that none which takes an unsafe method is missing."""
LET_IN: Mapping[str, str] = {"shares.observe": "observe"}
"""Those that let somebody in by the mere opening of an address."""
SILENT: Mapping[str, str] = {
    "account.stay": "a click that only keeps the session",
    "language": "everybody's own choice of what they read",
    "embed.renew": "a frame renews its bearer every few minutes by itself",
}
"""Endpoints that take an unsafe method and are deliberately not noted, and why."""
ONLY: Mapping[str, frozenset[int]] = {"upload-piece": frozenset({403, 413, 422})}
"""Acts that are noted with these statuses alone: a file comes in hundreds of pieces, and most are no news."""
BEGIN_SESSIONS = frozenset({"account.enter", "account.follow", "people.join", "shares.observe"})
"""Endpoints after which somebody else asks than before."""
NAMES: Mapping[str, str] = {"account.enter": "name"}
"""The field in which a stranger names an account, which is noted when there is one of that name: people do type their
password into the wrong field."""

ID = re.compile(r"[0-9a-f]{12}")
ROLE = re.compile(r"admin|observer")
UNGRANTED = "asked"
"""What was asked for and refused; once it was done, it is what the registration says."""
Allowed = tuple[str, str, re.Pattern[str]]
"""The name of a detail, the field or part of the address that holds it, and the form that its value must have."""
ASKED: Mapping[str, tuple[Allowed, ...]] = {
    "node": ((UNGRANTED, "node", re.compile(r"[\w.-]{1,64}/[\w.-]{1,64}")),),
    "port": ((UNGRANTED, "port", re.compile(r"[0-9]{1,5}")),),
    "change-role": (("account", "name", re.compile(r".{1,64}")), ("role", "role", ROLE)),
    "remove-account": (("account", "name", re.compile(r".{1,64}")),),
    "invite": (("role", "role", ROLE),),
    "invite-revoke": (("invitation", "id", ID),),
    "share-link": (("life", "life", re.compile(r"[0-9]{1,2}[hd]")),),
    "share-revoke": (("link", "link", ID),),
}
"""By act, what is noted of that which was sent. No field of a code, a password or a token is to be among them."""


def announced_file() -> str:
    return sent_metadata().get("filename", "")


def file_of_the_form() -> str:
    file = request.files.get("file")
    return file.filename or "" if file else ""


FILES: Mapping[str, Callable[[], str]] = {"upload-begin": announced_file, "upload": file_of_the_form}
"""By act: where the name of a file is, which is noted."""


def act_of(endpoint: str, *, safe: bool) -> str | None:
    """What a request to that endpoint is called; None when it is not noted."""
    if safe or endpoint in SILENT:
        return LET_IN.get(endpoint)
    naming = ENDPOINTS.get(endpoint, "other")
    return naming if isinstance(naming, str) else naming()


def details_of(act: str, *, refused: bool) -> dict[str, str]:
    """What may be noted of that which was sent."""
    allowed = [it for it in ASKED.get(act, ()) if refused or it[0] != UNGRANTED]
    values = {name: value for name, field, form in allowed if form.fullmatch(value := sent(field))}
    file = name_of_file(act)
    return values | ({"file": word(file)} if file else {})


def named() -> str:
    """The account that a stranger has named."""
    return sent(NAMES.get(request.endpoint or "", ""))


def sent(name: str) -> str:
    """A field of the form, or a part of the address; nothing when there is none, or it could not be read."""
    try:
        value = request.form.get(name, "") or str((request.view_args or {}).get(name, ""))
    except HTTPException:  # it was too large to be read, which is what it was refused for
        return ""
    return value.strip()


def name_of_file(act: str) -> str:
    try:
        return FILES[act]() if act in FILES else ""
    except HTTPException:
        return ""
