"""Every page in every state, each by a name: what has to be so before it is opened, and what is done on it then.

A page that is new joins by a line of `STATES`; test_accessibility.py then looks at it in each theme and language.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.uploading import Place
from tests.factories import (
    NOW,
    a_challenge,
    a_check,
    a_deployed_registration,
    a_deployment,
    a_hand_over,
    a_health,
    a_placed_registration,
    a_preflight,
    a_project,
    a_registration,
    a_slot,
    a_status,
    an_account,
    an_endpoint,
    an_image,
    an_inspection,
    an_invitation,
    an_observer_link,
    an_operation,
)
from wizard.domain.operation import OperationState, PhaseRecord
from wizard.domain.preflight import Outcome, Plan, Request
from wizard.domain.registration import VERIFICATION_LOST, Registration
from wizard.domain.turn import Place as Seat
from wizard.errors import Problem
from wizard.text import say
from wizard.web.account import hashed

Then = Callable[[Page], object]
NUMBERS = count()
OPEN = a_challenge(expires_at=NOW + timedelta(minutes=5))
LATER, EARLIER = NOW + timedelta(minutes=9), NOW - timedelta(minutes=1)
SERVED = a_status(slots=(a_slot(last_request_at=NOW),))
LOCKED = a_status(locked_until=LATER)
REFUSAL = Problem(
    happened=say("The engine did not do it."),
    why=say("Nothing was heard for %(seconds)s seconds.", seconds=30),
    todo=say("Go back, and choose another node."),
    raw="Error response from daemon: a_line_that_cannot_be_broken_anywhere_because_it_has_no_blank_in_it_at_all " * 3,
)


def nothing(page: Page) -> None:
    """It is looked at as it comes."""


@dataclass(frozen=True)
class State:
    """`prepare` makes it so, and says where it is; `then` is what is done there. `alone`: nothing else may be there."""

    prepare: Callable[[Place, str], str]
    then: Then = nothing
    is_signed_in: bool = True
    alone: bool = False
    width: int = 1280


def at(path: str, then: Then = nothing, **more: bool) -> State:
    """A page that is always there."""
    return State(lambda place, id: path, then, **more)


def step(slug: str, registration: Registration, then: Then = nothing) -> State:
    """A step of that registration."""
    return working(slug, registration, None, then=then)


def working(slug: str, registration: Registration, doing: Mapping[str, Any] | None, then: Then = nothing) -> State:
    """A step whose slow work is under way, or has ended; `doing` is what the operation is, but for the usual."""

    def prepare(place: Place, id: str) -> str:
        saved = place.desk.store.save(replace(registration, id=id))
        if doing is not None:
            place.desk.store.queue(
                an_operation(
                    **{"id": f"op-{id}", "kind": slug, "registration_id": id, "version": saved.version, **doing}
                )
            )
        return f"/registrations/{id}/{slug}"

    return State(prepare, then)


def inspected(registration: Registration, **changes: Any) -> State:
    """The deploy step of what was seen to be so."""

    def prepare(place: Place, id: str) -> str:
        place.desk.store.save(replace(registration, id=id))
        place.desk.store.inspected(id, an_inspection(seen_at=NOW + timedelta(seconds=1), **changes))
        return f"/registrations/{id}/deploy"

    return State(prepare)


def listed(place: Place, id: str) -> str:
    """The first page, with one registration of each kind."""
    for number, registration in enumerate((a_registration(), a_placed_registration(), DONE)):
        place.desk.store.save(replace(registration, id=f"{id}-{number}"))
    return "/"


def with_healths(path: str, registration: Registration | None = None) -> State:
    """The nodes: one is well, one is not, one was never seen."""

    def prepare(place: Place, id: str) -> str:
        place.desk.store.seen(a_health(node="plan-component"))
        place.desk.store.seen(a_health(node="sales-main", well=False, detail=say("No answer.")))
        if registration:
            place.desk.store.save(replace(registration, id=id))
        return path.format(id=id)

    return State(prepare)


def with_link(place: Place, id: str) -> str:
    place.accounts.add_link(hashed(id), place.desk.now, place.desk.now + timedelta(hours=24))
    return f"/sign-in/{id}"


def with_upload(place: Place, id: str) -> str:
    """An upload of this person has come to a third."""
    upload = place.uploads.create(f"person {id}", 3000, "fanruan_license_server.tar", "", place.desk.now)
    with place.uploads.append(upload.id, upload.owner, 0, place.desk.now) as turn:
        turn.write(memoryview(bytes(1000)))
    place.desk.store.save(a_registration(id=id))
    return f"/registrations/{id}/upload"


def with_host(path: str) -> Callable[[Place, str], str]:
    """Another admin is there, who has invited somebody."""

    def prepare(place: Place, id: str) -> str:
        host = f"host-{id}"
        place.accounts.add_account(an_account(name=host))
        place.accounts.add_invitation(an_invitation(id=id, token_hash=hashed(id), made_by=host))
        return path.format(id=id, host=host)

    return prepare


def with_watcher(path: str) -> Callable[[Place, str], str]:
    """A registration that somebody may watch, and that another one is at work on, who offers to hand it over."""

    def prepare(place: Place, id: str) -> str:
        host, desk = f"host-{id}", place.desk
        place.accounts.add_account(an_account(name=host))
        desk.store.save(a_placed_registration(id=id, port=None, preflight=None))
        desk.turns.arrive(id, Seat(person=host), desk.now, timedelta(minutes=15))
        desk.shares.add_link(an_observer_link(id=id, token_hash=hashed(id), registration_id=id))
        desk.shares.add_hand_over(a_hand_over(id=id, token_hash=hashed(id), registration_id=id, account=host))
        return path.format(id=id)

    return prepare


def shows(*selectors: str) -> Then:
    """What a script shows at its time is there."""

    def then(page: Page) -> None:
        for selector in selectors:
            page.locator(selector).first.evaluate("it => { it.hidden = false; }")

    return then


def pressed(selector: str) -> Then:
    def then(page: Page) -> None:
        unfolded(page)
        page.locator(selector).click()
        page.wait_for_load_state("networkidle")

    return then


def sent(**fields: str) -> Then:
    """Fill in the fields, by their ids, and press the one primary button."""

    def then(page: Page) -> None:
        for field, value in fields.items():
            page.locator(f"#{field}").fill(value)
        page.locator("button.primary").filter(visible=True).click()
        page.wait_for_load_state("networkidle")

    return then


def unfolded(page: Page) -> None:
    """All that is folded is open."""
    page.evaluate("for (const it of document.querySelectorAll('details')) it.open = true")


def running(done: int = 0, total: int = 0) -> tuple[PhaseRecord, ...]:
    """One phase is done, one is under way, the rest wait."""
    check = PhaseRecord(slug="check", started_at=EARLIER, ended_at=NOW)
    return (check, PhaseRecord(slug="load", started_at=NOW, done=done, total=total), PhaseRecord(slug="start"))


UNSIGNED = an_image(is_licence=False, company="", project="", received="5e" * 32)
DOUBT = a_check(
    slug="leftovers", outcome=Outcome.DOUBTFUL, detail=say("There is a volume of before."), todo=say("Look at it.")
)
OBSTACLE = a_check(outcome=Outcome.FAILED, detail=say("The disk is full."), todo=say("Make room."))
PLAN = Plan(requests=(Request(method="POST", path="/images/load", body="the image"),), manual="docker run " * 30)
PLANNED = a_placed_registration(preflight=a_preflight(checks=(a_check(), DOUBT), plan=PLAN))
IN_THE_WAY = a_placed_registration(preflight=a_preflight(checks=(a_check(), OBSTACLE)))
DEPLOYED = a_deployed_registration(server=a_status())
SCANNED = replace(DEPLOYED, challenge=replace(OPEN, scanned=True))
VERIFIED = replace(SCANNED, verified_at=NOW, project=a_project(application="http://127.0.0.1:8002/projects/sales"))
DONE = replace(VERIFIED, registered_at=NOW, server=SERVED)
GUIDED = a_deployed_registration(
    image=an_image(is_licence=False, company="", project=""), deployment=a_deployment(endpoint=an_endpoint(pin=""))
)
GUIDED_SCANNED = GUIDED.scanned_by_hand(NOW)
GUIDED_VERIFIED = GUIDED_SCANNED.verified_by_hand(NOW)
TAKEN = Problem(
    happened=say("Port 18081 is taken."), todo=say("Use the next one."), field="port", offer="18082", raw="nginx"
)

STATES: Mapping[str, State] = {
    "sign-in": at("/sign-in", is_signed_in=False),
    "sign-in refused": at("/sign-in", sent(name="x", password="y"), is_signed_in=False),
    "sign-in incomplete": at("/sign-in", sent(), is_signed_in=False),
    "link": State(with_link, is_signed_in=False, alone=True),
    "link refused": at("/sign-in/none", is_signed_in=False),
    "link incomplete": State(with_link, sent(password="short"), is_signed_in=False, alone=True),
    "home empty": State(lambda place, id: "/", alone=True),
    "home": State(listed),
    "nodes": with_healths("/nodes"),
    "account": at("/account"),
    "account refused": at("/account", sent(current="x", password="short", again="other")),
    "session ends": at("/account", shows("#ending", "[data-when='idle']", "form[data-when='idle']")),
    "session is over": at("/account", shows("#ending", "[data-when='over']", "a[data-when]")),
    "people": State(with_host("/people")),
    "people invited": State(with_host("/people"), sent()),
    "people removed": State(with_host("/people/removal?name={host}")),
    "invited": State(with_host("/join/{id}"), is_signed_in=False),
    "invited incomplete": State(with_host("/join/{id}"), sent(password="short"), is_signed_in=False),
    "audit": at("/audit"),
    "audit chain": at("/audit/chain"),
    "share": State(with_watcher("/registrations/{id}/share")),
    "share a link": State(with_watcher("/registrations/{id}/share"), pressed("#share button[name=life] >> nth=0")),
    "share a hand-over": State(with_watcher("/registrations/{id}/share"), pressed("#hand-over-again")),
    "taken": State(with_watcher("/registrations/{id}/port"), unfolded),
    "watched": State(with_watcher("/observe/{id}"), is_signed_in=False),
    "watched in vain": at("/observe/none", is_signed_in=False),
    "handed over": State(with_watcher("/hand-over/{id}"), is_signed_in=False),
    "handed over in vain": at("/hand-over/none", is_signed_in=False),
    "the wizard is silent": at("/", shows("#silence")),
    "no such page": at("/nothing"),
    "no such registration": at("/registrations/none"),
    "upload": step("upload", a_registration()),
    "upload without a file": step("upload", a_registration(), sent()),
    "upload unfinished": State(with_upload),
    "upload seen": step("upload", a_registration(image=an_image())),
    "upload unsigned": step("upload", a_registration(image=UNSIGNED)),
    "upload other digits": step("upload", a_registration(image=UNSIGNED), sent(digest="12")),
    "upload done": step("upload", a_placed_registration(), unfolded),
    "upload settled": step("upload", DONE),
    "node": with_healths("/registrations/{id}/node", a_registration(image=an_image(), image_accepted=True)),
    "node not chosen": step("node", a_registration(image=an_image(), image_accepted=True), sent()),
    "node done": step("node", DEPLOYED),
    "port": step("port", a_placed_registration(port=None, preflight=None)),
    "port tried": working("port", a_placed_registration(preflight=None), {"state": OperationState.RUNNING}),
    "port taken": working(
        "port", a_placed_registration(preflight=None), {"state": OperationState.FAILED, "problem": TAKEN}, unfolded
    ),
    "port wrong": step("port", a_placed_registration(port=None, preflight=None), sent(port="80")),
    "deploy": step("deploy", a_placed_registration()),
    "deploy doubtful": step("deploy", PLANNED, unfolded),
    "deploy in spite of nothing": step("deploy", PLANNED, sent()),
    "deploy not possible": step("deploy", IN_THE_WAY),
    "deploy queued": working("deploy", a_placed_registration(), {}),
    "deploy running": working(
        "deploy", PLANNED, {"state": OperationState.RUNNING, "attempt": 2, "phases": running(done=30, total=100)}
    ),
    "deploy undone": working("deploy", PLANNED, {"state": OperationState.RUNNING, "abort": True, "phases": running()}),
    "deploy failed": working(
        "deploy", PLANNED, {"state": OperationState.FAILED, "phases": running(), "problem": REFUSAL}, unfolded
    ),
    "deploy aborted": working("deploy", PLANNED, {"state": OperationState.ABORTED}),
    "deploy done": step("deploy", DEPLOYED),
    "deploy seen": inspected(DEPLOYED),
    "deploy down": inspected(DEPLOYED, running=False, exit_code=1),
    "deploy gone": inspected(DEPLOYED, running=False, found=False),
    "deploy paused": inspected(DEPLOYED, running=False, paused=True),
    "scan not shown": step("scan", DEPLOYED),
    "scan": step("scan", replace(DEPLOYED, challenge=OPEN), unfolded),
    "scan expired": step("scan", replace(DEPLOYED, challenge=a_challenge(expires_at=EARLIER))),
    "scan locked": step("scan", replace(DEPLOYED, challenge=OPEN, server=LOCKED)),
    "scan done": step("scan", VERIFIED),
    "scan anew": step("scan", replace(DEPLOYED, notice=VERIFICATION_LOST)),
    "scan by hand": step("scan", GUIDED),
    "scan by hand done": step("scan", GUIDED_SCANNED),
    "code": step("code", SCANNED),
    "code wrong": step("code", SCANNED, sent(code="12")),
    "code locked": step("code", replace(SCANNED, server=LOCKED)),
    "code expired": step("code", replace(SCANNED, challenge=a_challenge(expires_at=EARLIER, scanned=True))),
    "code done": step("code", VERIFIED),
    "code by hand": step("code", GUIDED_SCANNED),
    "code by hand done": step("code", GUIDED_VERIFIED),
    "register": step("register", VERIFIED),
    "register in the application": step("register", replace(SCANNED, verified_at=NOW)),
    "register waiting": working("register", VERIFIED, {"state": OperationState.RUNNING, "phases": ()}),
    "register failed": working("register", VERIFIED, {"state": OperationState.FAILED, "problem": REFUSAL}),
    "register by hand": step("register", GUIDED_VERIFIED),
    "registered": step("register", DONE),
    "registered by hand": step("register", GUIDED_VERIFIED.registered_by_hand(NOW)),
}


@contextmanager
def opened(browser: Browser, place: Place, state: State, language: str = "en") -> Iterator[Page]:
    """The page in that state, in a browser that speaks that language."""
    id = f"r{next(NUMBERS)}"
    context = browser.new_context(locale=language, viewport={"width": state.width, "height": 900})
    try:
        if state.is_signed_in:
            place.sign_in(context, f"person {id}")
        page = context.new_page()
        path = state.prepare(place, id)
        answer = page.goto(place.url + path)
        assert answer
        assert answer.status < 500
        assert ("/sign-in" in page.url) == ("/sign-in" in path)  # nobody was sent to the door
        state.then(page)
        yield page
    finally:
        context.close()
