"""The small parts of a kiosk: its clock, its drawing, its words, its settings, its gate."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click import ClickException
from werkzeug.test import Client
from werkzeug.wrappers import Response

from wizard.domain.deployment import ServerState, ServerStatus, Slot
from wizard.inventory import DEMONSTRATION
from wizard.kiosk.chart import WIDTH, Chart
from wizard.kiosk.happenings import LONGEST, Happening, Look, happened, told
from wizard.kiosk.processes import SECRET_HEADER
from wizard.kiosk.settings import KioskSettings
from wizard.kiosk.travel import Travel, moment
from wizard.kiosk.world import Gate, at_port, phone_path
from wizard.text import say

T = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slot(state: str) -> Slot:
    return Slot(project="p", node="n", state=state, registered_at=T, last_request_at=T)


def look(state: ServerState | None, *slots: str, project: str = "CONNECTED", at: datetime = T) -> Look:
    server = (
        None
        if state is None
        else ServerStatus(
            state=state,
            instance="i",
            challenge=None,
            tries_left=6,
            locked_until=None,
            registrations=3,
            slots=tuple(map(slot, slots)),
            seen_at=at,
        )
    )
    return Look(at=at, server=server, expires_at=None, project=project, heard_at=None)


def rules(before: Look, up: Look, after: Look) -> list[str]:
    return [it.rule for it in happened(before, up, after)]


def test_a_clock_that_travels_is_ahead_and_says_so_in_the_file(tmp_path: Path) -> None:
    travel = Travel(tmp_path / "ahead", lambda: T)
    assert (tmp_path / "ahead").read_text() == "0"
    travel.go(2 * HOUR)
    travel.go(-HOUR)  # never back
    assert travel.now() == T + 2 * HOUR == moment(travel.millis())
    assert (tmp_path / "ahead").read_text() == "7200000"


def test_a_stop_is_judged_by_what_was_before_it() -> None:
    up = look(ServerState.ACTIVE, "LIVE")
    stopped = look(None, at=T + HOUR)
    assert rules(up, up, stopped) == []
    assert rules(stopped, up, look(ServerState.WINDOW, "AWAITING", at=T + HOUR)) == ["R10"]


def test_a_window_ends_well_or_not() -> None:
    window = look(ServerState.WINDOW, "AWAITING")
    [well] = happened(window, window, look(ServerState.ACTIVE, "LIVE"))
    [badly] = happened(window, window, look(ServerState.ACTIVE, "FAILED"))
    assert (well.rule, well.tone, badly.rule, badly.tone) == ("R10", "success", "R10", "danger")


def test_silence_and_a_long_stop_are_told_apart() -> None:
    active = look(ServerState.ACTIVE, "LIVE")
    assert rules(active, active, look(ServerState.ACTIVE, "FAILED")) == ["R11"]
    assert rules(active, active, look(ServerState.REAUTHENTICATE, "FAILED")) == ["R10"]


def test_what_happens_again_is_one_line_and_the_oldest_lines_go() -> None:
    beat = [Happening(at=T + n * HOUR, what=say("beat"), rule="R9") for n in range(12)]
    [line] = told((), beat)
    assert (line.times, line.since, line.at) == (12, T, T + 11 * HOUR)
    many = [Happening(at=T, what=say("%(n)s", n=n)) for n in range(3 * LONGEST)]
    assert told((), many)[-1] == many[-1]
    assert len(told((), many)) == LONGEST


def test_the_drawing_has_each_state_from_when_it_began() -> None:
    chart = Chart()
    for hours, state in ((0, "ACTIVE"), (1, "ACTIVE"), (2, "WINDOW"), (4, "ACTIVE")):
        chart.add(T + hours * HOUR, state, "CONNECTED", [T + hours * HOUR])
    server, project, ticks = chart.lanes()
    assert [(bar.state, bar.x) for bar in server] == [("ACTIVE", 0), ("WINDOW", WIDTH / 2), ("ACTIVE", WIDTH)]
    assert [(bar.state, bar.width) for bar in project] == [("CONNECTED", WIDTH)]
    assert ticks == [0, WIDTH / 4, WIDTH / 2, WIDTH]


def test_two_worlds_share_no_address() -> None:
    text = DEMONSTRATION.read_text()
    one, other = at_port(text, 8001), at_port(text, 8002)
    assert one != other
    assert '"127.31.65.2"' in one
    assert '"127.0.0.' not in one


def test_a_qr_code_leads_to_the_kiosk_itself() -> None:
    assert phone_path("HTTP://127.0.0.1:8000/L/ABC") == "/L/ABC"


def test_settings_have_defaults_and_limits() -> None:
    usual = KioskSettings.from_environ({})
    assert (usual.visitors, usual.patience.idle, usual.patience.warning) == (
        2,
        timedelta(minutes=1),
        timedelta(seconds=10),
    )
    for wrong in ("0", "21", "two", "-1"):
        with pytest.raises(ClickException, match="KIOSK_VISITORS"):
            KioskSettings.from_environ({"KIOSK_VISITORS": wrong})


def test_the_gate_of_a_world_opens_to_its_secret_alone() -> None:
    site = Client(Gate(Response("inside"), "the secret"))
    assert site.get("/").status_code == 403
    assert site.get("/", headers={SECRET_HEADER: "the secre"}).status_code == 403
    assert site.get("/", headers={SECRET_HEADER: "the secret"}).status_code == 200
