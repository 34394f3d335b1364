"""*Registration Management* as a person walks through it, in every state that it can show (R8, R11, R12)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.client.scenes import ADDRESS, PORT, SCENES, Scene
from tests.visitor import InnerBrowser, Visitor
from wizard.licensing.client import Cause, causes
from wizard.licensing.client.line import SYMPTOMS
from wizard.licensing.client.words import CAUSES, said
from wizard.licensing.rules.limits import BEAT, DAY

PAGE = "http://localhost/projects/sales/"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.bench.kill()


def visit(scene: Scene, page: str = PAGE) -> Visitor:
    return Visitor(InnerBrowser(scene.app)).open(page)


def reads(page: Visitor, text: str) -> bool:
    """Whether the page says that, as somebody reads it: elements within a line make no gap."""
    return text in " ".join(page.one("main").get_text().split())


def submit(scene: Scene, **fields: str) -> Visitor:
    here = {"address": ADDRESS, "port": str(PORT)}
    return visit(scene).follow("Register Now").press("Submit", **(here | fields))


def test_register_now_leads_to_private_cloud_ip_and_port_and_a_page_worth_keeping(scene: Scene) -> None:
    scene.bench.verify()
    form = visit(scene).follow("Register Now")
    assert [option.get_text() for option in form.page.select("select option")] == ["Private Cloud"]
    page = form.press("Submit", address=f" {ADDRESS} ", port=str(PORT))
    assert (page.status, page.url, page.heading) == (200, PAGE, "Sales reports is registered")
    for fact in ("Example Company", "node-a, node-b", "2 of at most 2", "0011223344556677", "2027-01-15 08:00 UTC"):
        assert reads(page, fact), fact
    scene.beat()
    scene.bench.now += 60_000
    page = visit(scene)
    assert page.has("1 min ago")
    assert page.has("in 1 h 59 min")
    assert page.has("Next request 2027-01-15 10:00 UTC")


@pytest.mark.parametrize(
    ("fields", "status", "said", "check"),
    [
        ({}, 409, "is not authenticated", f"https://{ADDRESS}:{PORT}/license/qrcode"),
        ({"port": "2"}, 502, f"No answer came from {ADDRESS}:2", "Check the firewalls"),
        ({"port": "x"}, 422, "a number from 1 to 65535", ""),
        ({"address": "a.test"}, 422, "such as 192.168.1.5", ""),
    ],
)
def test_a_failure_says_why_and_what_to_check_and_keeps_what_was_typed(
    scene: Scene, fields: dict[str, str], status: int, said: str, check: str
) -> None:
    page = submit(scene, **fields)
    assert page.status == status
    assert said in page.one("[role=alert]").get_text(" ", strip=True)
    assert page.has(check)
    typed = {name: page.one(f"input[name={name}]")["value"] for name in ("address", "port")}
    assert typed == {"address": ADDRESS, "port": str(PORT)} | fields
    assert not visit(scene).has("is registered")


def test_the_maximum_is_told_with_what_frees_a_slot(scene: Scene) -> None:
    scene.register()
    other = Scene(scene.folder.parent / "second")
    other.line.benches = {PORT: scene.bench}
    page = submit(other)
    assert page.status == 409
    assert page.has("All registrations that the licence allows are in use.")
    assert page.has("24 hours after its last request")
    other.bench.kill()


def test_every_cause_is_said_in_whole_sentences(scene: Scene) -> None:
    with scene.app.test_request_context():
        for code in CAUSES:
            said_by_page = said(Cause(code=code, message="", where=f"{ADDRESS}:{PORT}"))
            for sentence in (said_by_page.what, *said_by_page.checks):
                assert re.fullmatch(r"[A-Z1].*\.", sentence), code


def test_every_cause_of_the_library_has_its_words() -> None:
    whole = "".join(path.read_text() for path in Path(causes.__file__).parent.glob("*.py"))
    told = set(re.findall(r'code="(\w+)"', whole)) | {symptom.code for symptom in SYMPTOMS}
    assert told - set(CAUSES) == set()


def test_a_cause_that_is_not_known_is_said_in_its_own_words(scene: Scene) -> None:
    with scene.app.test_request_context():
        assert said(Cause(code="new", message="Something new.")).what == "Something new."


def test_each_state_is_shown_as_what_it_is(tmp_path: Path) -> None:
    headings = {}
    for name, build in SCENES.items():
        scene = Scene(tmp_path / name)
        build(scene)
        headings[name] = visit(scene).heading
        scene.bench.kill()
    assert headings == {
        "unregistered": "Sales reports is not registered",
        "connected": "Sales reports is registered",
        "disconnected": "Sales reports is registered, but disconnected",
        "lapsed": "Sales reports is blocked",
        "failed": "The registration of Sales reports has failed",
        "released": "The registration of Sales reports was given up",
        "unconfirmed": "Sales reports is not registered",
        "forked": "Sales reports is registered",
        "damaged": "Sales reports is not registered",
    }


def test_a_disconnected_project_says_until_when_it_is_valid_and_how_often_it_was_missed(scene: Scene) -> None:
    SCENES["disconnected"](scene)
    page = visit(scene)
    assert reads(page, "Without an answer it is blocked after 2027-01-16 12:03 UTC, in 21 h 0 min.")
    assert page.has("Check the firewalls")
    misses = [cell.get_text() for cell in page.page.select("td[data-label=Misses]")]
    assert misses == ["14", "14"]


def test_a_lapsed_project_says_what_heals_it_and_by_when(scene: Scene) -> None:
    SCENES["lapsed"](scene)
    assert reads(visit(scene), "It heals when the authorization application answers by 2027-01-16 14:03 UTC")


def test_a_failed_project_registers_again_where_it_was(scene: Scene) -> None:
    SCENES["failed"](scene)
    page = visit(scene)
    assert page.has("The authorization application has no such registration any more.")
    form = page.follow("Register Now")
    assert form.one("input[name=address]")["value"] == ADDRESS
    assert form.press("Submit").heading == "Sales reports is registered"


def test_re_register_says_what_it_costs_before_it_does_it(scene: Scene) -> None:
    scene.register()
    page = visit(scene).follow("Re-register")
    assert reads(page, f"2 registrations at {ADDRESS}:{PORT} are given up: node-a, node-b.")
    assert reads(page, "by 2027-01-16 08:00 UTC at the latest")
    assert scene.bench.status()["state"] == "ACTIVE"
    assert page.follow("Keep the registration").heading == "Sales reports is registered"
    page = visit(scene).follow("Re-register").press("Give up 2 registrations")
    assert page.heading == "The registration of Sales reports was given up"
    assert [slot["state"] for slot in scene.bench.status()["slots"]] == ["RELEASED", "RELEASED"]


def test_giving_up_without_an_answer_says_when_the_slots_free_themselves(scene: Scene) -> None:
    scene.register()
    scene.line.cut = True
    page = visit(scene).follow("Re-register").press("Give up 2 registrations")
    assert page.has(f"{ADDRESS}:{PORT} did not confirm that the registration there was given up.")
    assert reads(page, "They are free by 2027-01-16 08:00 UTC at the latest.")


def test_a_fork_is_told_with_both_ways_out_and_one_leads_to_a_project_of_its_own(tmp_path: Path) -> None:
    scene = Scene(tmp_path, registrations=4)
    SCENES["forked"](scene)
    page = visit(scene)
    assert page.has("Another copy of this project has the same key.")
    assert page.has("Stop the other copy")
    assert visit(scene).follow("Re-register").has("What is given up here is lost to that copy, too.")
    form = page.follow("Register this copy as a project of its own")
    assert form.has("It gets a new key, and slots of its own.")
    page = form.press("Submit")
    assert page.heading == "Sales reports is registered"
    assert not page.has("Another copy of this project has the same key.")
    assert [slot["state"] for slot in scene.bench.status()["slots"]] == ["LIVE"] * 4
    scene.bench.kill()


def test_the_notice_of_a_fork_goes_a_day_after_it_was_last_told(scene: Scene) -> None:
    SCENES["forked"](scene)
    scene.pass_time(DAY + BEAT)
    assert not visit(scene).has("Another copy of this project has the same key.")


def test_a_register_that_is_refused_as_a_fork_says_what_submitting_again_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path, registrations=4)
    original = scene.copied()
    scene.bench.verify()
    original.register(ADDRESS, PORT, scene.bench.now)
    page = submit(scene)
    assert page.status == 409
    assert page.has("this copy then registers as a project of its own")
    assert page.press("Submit").heading == "Sales reports is registered"
    scene.bench.kill()


def test_the_history_is_newest_first_and_folds_away_what_is_old(scene: Scene) -> None:
    SCENES["failed"](scene)
    page = visit(scene)
    entries = [row.get_text(" ", strip=True) for row in page.page.select(".history tbody tr")]
    assert entries[0].startswith("2027-01-16 13:08 UTC node-a , node-b failed")
    assert (
        "still not registered The authorization application at 192.168.1.5:18081 is not authenticated." in entries[-1]
    )
    assert page.page.select("details") == []
    scene.client.register(ADDRESS, PORT, scene.bench.now)
    for _ in range(4):
        scene.line.cut = not scene.line.cut
        scene.pass_time(BEAT)
    scene.client.deauthorize(scene.bench.now)
    page = visit(scene)
    assert len(page.page.select(".history tbody tr")) > len(entries)
    assert page.one("summary").get_text() == f"{len(page.page.select('.history tbody tr')) - 10} earlier entries"


def test_a_damaged_registration_is_told_and_not_a_traceback(scene: Scene) -> None:
    SCENES["damaged"](scene)
    page = visit(scene)
    assert page.status == 200
    assert page.has("The file that remembers the registration was damaged or gone. It was put aside.")


def test_names_are_shown_as_text(tmp_path: Path) -> None:
    scene = Scene(tmp_path, name="Sales <b>&</b>")
    scene.register()
    assert visit(scene).heading == "Sales <b>&</b> is registered"
    scene.bench.kill()
