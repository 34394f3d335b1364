"""How the pages say it: states, causes and what to check about them (R8), times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _

from wizard.licensing.client.causes import Cause
from wizard.licensing.rules.limits import HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.project import ProjectState

STATES: Mapping[ProjectState, Callable[[], str]] = {
    ProjectState.UNREGISTERED: lambda: _("not registered"),
    ProjectState.CONNECTED: lambda: _("registered"),
    ProjectState.DISCONNECTED: lambda: _("disconnected"),
    ProjectState.LAPSED: lambda: _("blocked"),
    ProjectState.FAILED: lambda: _("failed"),
    ProjectState.RELEASED: lambda: _("given up"),
}


@dataclass(frozen=True)
class Heading:
    """What a page says first, and the sentence after it."""

    title: str
    lead: str


HEADINGS: Mapping[ProjectState, Callable[[str], Heading]] = {
    ProjectState.FAILED: lambda name: Heading(
        _("The registration of %(name)s has failed", name=name),
        _("It is not valid until it is registered again. The image need not be uploaded again."),
    ),
    ProjectState.LAPSED: lambda name: Heading(
        _("%(name)s is blocked", name=name),
        _("No answer came for more than 24 hours, so it is not valid for now."),
    ),
    ProjectState.DISCONNECTED: lambda name: Heading(
        _("%(name)s is registered, but disconnected", name=name),
        _("The last request had no good answer. It is sent again by itself, and the registration is valid meanwhile."),
    ),
    ProjectState.CONNECTED: lambda name: Heading(
        _("%(name)s is registered", name=name),
        _("Each node sends a request every two hours, by itself."),
    ),
    ProjectState.UNREGISTERED: lambda name: Heading(
        _("%(name)s is not registered", name=name),
        _("Register it with the authorization application, as soon as the code was accepted there."),
    ),
    ProjectState.RELEASED: lambda name: Heading(
        _("The registration of %(name)s was given up", name=name),
        _(
            "Its slots are free for another project, or for this one. If no project is left there, scan and enter a "
            "code first."
        ),
    ),
}
"""For the project as a whole: the first of these that one of its nodes is in."""


@dataclass(frozen=True)
class Said:
    """A cause in the words of a page: what happened and why, and what to check, in the order to check it."""

    what: str
    checks: tuple[str, ...] = ()


Check = Callable[[str], str]
Words = tuple[Callable[[str], str], tuple[Check, ...]]


def _address(where: str) -> str:
    return str(_("Check the address: the page of the QR code shows it."))


def _port(where: str) -> str:
    return str(_("Check the port: it is 18081 unless another one was chosen. The page of the QR code shows it."))


def _runs(where: str) -> str:
    return str(
        _("Check that the authorization application runs: FineOps shows it at Maintenance > Component Management.")
    )


def _firewall(where: str) -> str:
    return str(
        _(
            "Check the firewalls between the servers of this project and %(where)s: that TCP port must be open.",
            where=where,
        )
    )


def _again(where: str) -> str:
    return str(_("Register again. No scan is needed, as long as the authorization application is authenticated."))


CAUSES: Mapping[str, Words] = {
    "refused": (
        lambda where: _("Nothing listens at %(where)s: the connection was refused.", where=where),
        (_port, _runs, _firewall),
    ),
    "timeout": (
        lambda where: _("No answer came from %(where)s in time.", where=where),
        (_firewall, _address, _runs),
    ),
    "unreachable": (
        lambda where: _("There is no way from here to %(where)s.", where=where),
        (
            _address,
            lambda where: _("Check the network of this server: its route, and its VPN if there is one."),
            _firewall,
        ),
    ),
    "broken_off": (
        lambda where: _("The connection to %(where)s broke off before the answer was there.", where=where),
        (_runs, _firewall),
    ),
    "no_tls": (
        lambda where: _(
            "What listens at %(where)s speaks no HTTPS, so it is no authorization application.", where=where
        ),
        (_port, _address),
    ),
    "key_changed": (
        lambda where: _(
            "Another server answers at %(where)s than the one that this project registered with. It was sent nothing.",
            where=where,
        ),
        (
            lambda where: _(
                "Find out whether the authorization application was installed anew, or another server got its address."
            ),
            lambda where: _("If it was installed anew: Re-register, and register with the new one."),
        ),
    ),
    "not_the_protocol": (
        lambda where: _("What answers at %(where)s is no authorization application.", where=where),
        (_port, _address),
    ),
    "fault": (
        lambda where: _("The authorization application at %(where)s has a fault of its own.", where=where),
        (lambda where: _("Look at its log, in the folder /app/log of its container, and check the free space there."),),
    ),
    "not_authenticated": (
        lambda where: _("The authorization application at %(where)s is not authenticated.", where=where),
        (
            lambda where: _(
                "Open https://%(where)s/license/qrcode, scan the QR code, and enter the six digits.", where=where
            ),
            lambda where: _("Then submit this page again, before the authorization application is restarted."),
        ),
    ),
    "maximum_reached": (
        lambda where: _(
            "All registrations that the licence allows are in use. No node was registered, nothing changed."
        ),
        (
            lambda where: _("Give up a project that is no longer needed: Re-register, on its page like this one."),
            lambda where: _(
                "Or wait: the slots of a project that is silent free themselves 24 hours after its last request."
            ),
            lambda where: _("Or ask the vendor for an image with a higher maximum number of registrations."),
        ),
    ),
    "retired": (
        lambda where: _("The authorization application at %(where)s was retired, and stays so.", where=where),
        (lambda where: _("Enter the address of the one that took its place."),),
    ),
    "fork": (
        lambda where: _("Another copy of this project speaks with the authorization application, with the same key."),
        (
            lambda where: _("Stop the other copy, if it is not meant to run."),
            lambda where: _(
                "Or submit this page again: this copy then registers as a project of its own, with a new key and with "
                "slots of its own."
            ),
        ),
    ),
    "not_saved": (
        lambda where: _("What must be remembered cannot be read or written, so nothing was sent."),
        (lambda where: _("Check the free space and the permissions of the folder %(where)s.", where=where),),
    ),
    "damaged_memory": (
        lambda where: _("The file that remembers the registration was damaged or gone. It was put aside."),
        (
            lambda where: _(
                "Register again with the same address. The slots that this project holds are its own still."
            ),
        ),
    ),
    "damaged_key": (
        lambda where: _("The key of this project was damaged or gone. It has a new one now."),
        (lambda where: _("Register again. The old slots free themselves 24 hours after their last request."),),
    ),
    "frees_itself": (
        lambda where: _("%(where)s did not confirm that the registration there was given up.", where=where),
        (lambda where: _("Its slots free themselves 24 hours after their last request."),),
    ),
    "no_feedback": (lambda where: _("No answer came for more than 24 hours."), (_again,)),
    "unknown": (lambda where: _("The authorization application has no such registration any more."), (_again,)),
    "reauthenticate": (
        lambda where: _("The authorization application was shut down for more than 24 hours."),
        (
            lambda where: _("Open its page, scan the QR code, and enter the six digits."),
            lambda where: _("Then register again."),
        ),
    ),
    "lapsed": (lambda where: _("No answer came for more than 24 hours."), ()),
    "answered": (lambda where: _("The authorization application answered again."), ()),
    "reconnected": (
        lambda where: _(
            "%(where)s was restarted, and attests that it was shut down for no more than 24 hours.", where=where
        ),
        (),
    ),
    "registered": (lambda where: _("%(where)s accepted all nodes.", where=where), ()),
    "released": (lambda where: _("%(where)s has freed the slots.", where=where), ()),
}


def said(cause: Cause) -> Said:
    """The cause in the reader's language; in its own words when its code is not known here."""
    words = CAUSES.get(cause.code)
    if words is None:
        return Said(cause.message)
    what, checks = words
    return Said(what(cause.where), tuple(check(cause.where) for check in checks))


def span(milliseconds: Millis) -> str:
    """A span of time as people say it."""
    if milliseconds < MINUTE:
        return str(_("less than a minute"))
    if milliseconds < HOUR:
        return str(_("%(minutes)s min", minutes=milliseconds // MINUTE))
    return str(_("%(hours)s h %(minutes)s min", hours=milliseconds // HOUR, minutes=milliseconds % HOUR // MINUTE))


def stamp(moment: Millis) -> datetime:
    """The moment, for what a page does with it."""
    return datetime.fromtimestamp(moment / SECOND, UTC)
