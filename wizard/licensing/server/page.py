"""The page for people (R5): the QR, the field for the code, and what to do next. No script is needed."""

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from wizard.licensing.protocol.api import PAGE
from wizard.licensing.rules.instance import Instance, SlotState, State
from wizard.licensing.rules.limits import DAY, LOCK, QR_VALID, RECONNECT, Millis
from wizard.licensing.server.api import JUDGED
from wizard.licensing.server.authorization import Judgement, Refused
from wizard.licensing.server.site import Site, TooOften, here
from wizard.licensing.server.status import describe

page = Blueprint("page", __name__)

VIEWS: Mapping[State, str] = {
    State.VERIFIED: "verified",
    State.ACTIVE: "active",
    State.WINDOW: "active",
    State.RETIRED: "retired",
}
"""What is shown in each state; in the others a code is wanted."""

PROBLEMS: Mapping[Judgement, Callable[[], str]] = {
    Judgement.WRONG: lambda: _("This is not the code for this QR code."),
    Judgement.MALFORMED: lambda: _("A code has six digits. This one was not counted."),
    Judgement.SUPERSEDED: lambda: _(
        "That code was for an earlier QR code. It was not counted. Scan the one shown now."
    ),
    Judgement.CONSUMED: lambda: _("That code was used already. It was not counted. Scan the one shown now."),
}
"""What is said beside the field; how many tries are left stands there always."""

SLOT_STATES: Mapping[SlotState, Callable[[], str]] = {
    SlotState.LIVE: lambda: _("live"),
    SlotState.AWAITING: lambda: _("awaiting its request"),
    SlotState.FAILED: lambda: _("failed"),
    SlotState.RELEASED: lambda: _("released"),
}


@page.get(PAGE)
def qr_code() -> Response:
    """The page as it stands. The first QR comes by itself; one that has expired is refreshed by hand (R6)."""
    site, now = here(), here().clock()
    instance = site.authorization.look(now)
    if instance.challenge is None and _view(instance, now) == "expired":
        instance = _opened(site, now)
    return _render(site, instance, now)


@page.post(PAGE)
def qr_code_submit() -> Response:
    """A code, or the wish for a new QR. Other sites cannot send either."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    action = ACTIONS.get(request.form.get("action", ""))
    if action is None:
        abort(400)
    return action(here(), here().clock())


def _refresh(site: Site, now: Millis) -> Response:
    _opened(site, now)
    return redirect(PAGE, 303)


def _enter(site: Site, now: Millis) -> Response:
    digits = "".join(request.form.get("code", "").split())
    judgement = site.authorization.enter(request.form.get("challenge", ""), digits, now)
    if judgement is Judgement.ACCEPTED:
        return redirect(PAGE, 303)
    return _render(site, site.authorization.look(now), now, judgement)


ACTIONS: Mapping[str, Callable[[Site, Millis], Response]] = {"refresh": _refresh, "enter": _enter}


def _opened(site: Site, now: Millis) -> Instance:
    """A new challenge, unless it cannot be had: then the page says why by what it shows."""
    try:
        return site.new_challenge(now)
    except (Refused, TooOften):
        return site.authorization.look(now)


def _view(instance: Instance, now: Millis) -> str:
    if instance.state in VIEWS:
        return VIEWS[instance.state]
    if instance.lock.holds(now):
        return "locked"
    challenge = instance.challenge
    return "scan" if challenge is not None and challenge.remaining(now) >= 0 else "expired"


def _render(site: Site, instance: Instance, now: Millis, judgement: Judgement | None = None) -> Response:
    problem = PROBLEMS.get(judgement) if judgement else None
    html = render_template(
        f"views/{_view(instance, now)}.html",
        status=describe(site.authorization, instance, now),
        words=site.authorization.identity.words,
        blocked=instance.lock.blocks,
        window_ms=instance.window_end - now if instance.window_end is not None else None,
        held=sum(slot.is_held for slot in instance.slots),
        failed=sum(slot.state is SlotState.FAILED for slot in instance.slots),
        states={state.value: said() for state, said in SLOT_STATES.items()},
        problem=problem() if problem else None,
        valid_ms=QR_VALID,
        lock_ms=DAY if instance.lock.blocks else LOCK,
        reconnect_ms=RECONNECT,
        address=site.address,
        port=site.port,
    )
    return make_response(html, JUDGED[judgement] if judgement else 200)
