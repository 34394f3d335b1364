"""The page for people (R5): the QR, the field for the code, and what to do next. No script is needed."""

from collections.abc import Callable, Mapping

from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from wizard.licensing.protocol.api import PAGE
from wizard.licensing.rules.instance import Asker, Failure, Instance, Lock, SlotState, State
from wizard.licensing.rules.limits import DAY, LOCK, QR_VALID, RECONNECT, TOLERATED, Millis
from wizard.licensing.server.api import JUDGED
from wizard.licensing.server.askers import Visitor
from wizard.licensing.server.authorization import Judgement, Refused
from wizard.licensing.server.drawing import span
from wizard.licensing.server.rate import TooOften
from wizard.licensing.server.refusals import REFUSALS, Json, retry_after
from wizard.licensing.server.site import Site, here

page = Blueprint("page", __name__)

LARGEST_FORM = 4096
"""Bytes of a code, the name of its challenge, and what a browser puts around them."""

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

FAILURES: Mapping[Failure, Callable[[], str]] = {
    Failure.NO_REQUEST: lambda: _("no request for more than 24 hours"),
    Failure.DOWNTIME: lambda: _("this application was down for more than 24 hours"),
    Failure.NOT_RECONNECTED: lambda: _("it did not reconnect within two hours"),
    Failure.DAMAGE: lambda: _("the storage of this application was damaged"),
}

REASONS: Mapping[frozenset[Failure], Callable[[], str]] = {
    frozenset({Failure.DOWNTIME}): lambda: _(
        "It was shut down for more than 24 hours, so it must be authenticated again, and its projects must register "
        "again. The image stays as it is."
    ),
    frozenset({Failure.DAMAGE}): lambda: _(
        "Its storage was damaged, so it must be authenticated again, and its projects must register again. "
        "The image stays as it is."
    ),
}
"""Why it must be authenticated again, by what took its registrations away."""
LOSSES = frozenset({Failure.DOWNTIME, Failure.DAMAGE})


def _somehow() -> str:
    """When nothing tells it, or when it was both."""
    return str(_("It must be authenticated again, and its projects must register again. The image stays as it is."))


@page.get(PAGE)
def qr_code() -> Response:
    """The page as it stands. The first QR comes by itself; one that has expired is refreshed by hand (R6)."""
    site, now = here(), here().now()
    if _view(site.authorization.look(now), now) != "waiting":
        return _render(site, now)
    return _with_new_challenge(site, now, _render)


@page.post(PAGE)
def qr_code_submit() -> Response:
    """A code, or the wish for a new QR. Other sites cannot send either."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403)
    request.max_content_length = LARGEST_FORM
    action = ACTIONS.get(request.form.get("action", ""))
    if action is None:
        abort(400)
    return action(here(), here().now())


def _refresh(site: Site, now: Millis) -> Response:
    return _with_new_challenge(site, now, lambda site, now: redirect(PAGE, 303))


def _enter(site: Site, now: Millis) -> Response:
    digits = "".join(request.form.get("code", "").split())
    try:
        judgement = site.enter(_visitor(), request.form.get("challenge", ""), digits, now)
    except TooOften as error:
        problem = _("Codes come too fast. This one was not counted. Enter it again in %(span)s.", span=span(error.wait))
        return _render(site, now, problem=problem, too_soon=error)
    if judgement is Judgement.ACCEPTED:
        return redirect(PAGE, 303)
    return _render(site, now, problem=PROBLEMS.get(judgement, str)(), code=JUDGED[judgement])


ACTIONS: Mapping[str, Callable[[Site, Millis], Response]] = {"refresh": _refresh, "enter": _enter}


def _with_new_challenge(site: Site, now: Millis, done: Callable[[Site, Millis], Response]) -> Response:
    """What `done` makes of it; it is also asked when there is none to be had, for the page shows why."""
    try:
        site.new_challenge(_visitor(), now)
    except Refused:
        pass
    except TooOften as error:
        return _render(site, now, too_soon=error)
    return done(site, now)


def _visitor() -> Visitor:
    """On the page everybody is a stranger: what a browser shows by itself proves nothing."""
    return Visitor(Asker.ANONYMOUS, request.remote_addr or "")


def _view(instance: Instance, now: Millis) -> str:
    if instance.state in VIEWS:
        return VIEWS[instance.state]
    entry = instance.entry(Asker.ANONYMOUS)
    if entry.lock.holds(now):
        return "locked"
    if entry.challenge is None:
        return "waiting"
    return "scan" if entry.challenge.remaining(now) >= 0 else "expired"


def _render(
    site: Site, now: Millis, *, problem: str = "", code: int = 200, too_soon: TooOften | None = None
) -> Response:
    view, instance, status = _look(site, now)
    lock = instance.entry(Asker.ANONYMOUS).lock
    slots = instance.slots.values()
    html = render_template(
        f"views/{view}.html",
        status=status,
        words=site.authorization.identity.words,
        cause=_cause(lock),
        reason=REASONS.get(frozenset(slot.reason for slot in slots if slot.reason in LOSSES), _somehow)(),
        window_ms=instance.window_end - now if instance.window_end is not None else None,
        held=sum(slot.is_held for slot in slots),
        failed=sum(slot.state is SlotState.FAILED for slot in slots),
        states={state.value: said() for state, said in SLOT_STATES.items()},
        failures={failure.value: said() for failure, said in FAILURES.items()},
        problem=problem,
        wait_ms=too_soon.wait if too_soon else None,
        valid_ms=QR_VALID,
        lock_ms=DAY if lock.blocks else LOCK,
        reconnect_ms=RECONNECT,
        address=site.address,
        port=site.port,
    )
    headers = retry_after(too_soon.wait) if too_soon else {}
    return make_response(html, REFUSALS["too_often"].status if too_soon else code, headers)


def _look(site: Site, now: Millis) -> tuple[str, Instance, Json]:
    """The view, the instance, and what is told of it. A QR that is replaced in between is looked for once more."""
    for _again in range(2):
        instance = site.authorization.look(now)
        status = site.status(_visitor(), now, instance)
        view = _view(instance, now)
        if view != "scan" or status["challenge"] is not None:
            return view, instance, status
    return "waiting", instance, status


def _cause(lock: Lock) -> str:
    """Of the lock: what its page is about."""
    if lock.blocks:
        return "total"
    return "wrong" if lock.wrong > TOLERATED else "damage"
