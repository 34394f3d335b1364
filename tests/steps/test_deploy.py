"""R5: check, load, start, answer; and back again."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.desk import FakeDesk
from tests.factories import NOW, PIN, a_check, a_placed_registration, a_port_check, a_preflight, an_image
from tests.fakes import broken
from wizard.domain.preflight import Outcome
from wizard.domain.registration import Registration
from wizard.errors import BackendError, InvalidInput
from wizard.flow import Phase
from wizard.licensing.protocol.api import ENTRY
from wizard.ports import Task
from wizard.steps.deploy import A_MOMENT, STEP, name_of
from wizard.text import say

TOKEN = "70" * 32


@pytest.fixture
def registration(desk: FakeDesk) -> Registration:
    """One whose archive is in the spool, on a node whose licence volume holds the pin already."""
    image = an_image()
    (desk.spool.folder / image.digest).write_bytes(b"the archive")
    desk.backend.engines["sales-main"].volumes[image.licence] = {
        ENTRY: f"{PIN} {TOKEN}\n".encode(),
    }
    return a_placed_registration()


def phase(slug: str) -> Phase:
    return next(phase for phase in STEP.work if phase.slug == slug)


def run_until(slug: str, registration: Registration, task: Task) -> None:
    for each in STEP.work:
        if each.slug == slug:
            return
        each.run(registration, task)


def test_the_work_ends_with_an_address_that_answers(desk: FakeDesk, registration: Registration) -> None:
    deployed = desk.work(STEP, registration)
    assert deployed.deployment is not None
    assert deployed.deployment.endpoint.page == "https://127.0.0.1:18081/license/qrcode"
    assert deployed.deployment.endpoint.pin == PIN
    assert deployed.deployment.endpoint.token == TOKEN
    assert deployed.server is not None


def test_doing_the_work_again_ends_with_the_same_single_container(desk: FakeDesk, registration: Registration) -> None:
    first = desk.work(STEP, registration)
    assert desk.work(STEP, registration) == replace(first, server=first.server)
    assert list(desk.backend.engines["sales-main"].containers) == [name_of(desk.task())]


def test_undoing_leaves_no_container_no_image_and_no_port(desk: FakeDesk, registration: Registration) -> None:
    desk.work(STEP, registration)
    for each in reversed(STEP.work):
        each.undo(registration, desk.task())
    engine = desk.backend.engines["sales-main"]
    assert (engine.containers, engine.images) == ({}, set())
    assert engine.holder(18081, "") is None
    assert engine.volumes


@pytest.fixture
def old(registration: Registration) -> Registration:
    """What was found out about its node is older than a moment."""
    return registration.checked(a_preflight(port=a_port_check(checked_at=NOW - A_MOMENT - timedelta(seconds=1))))


def test_what_was_found_out_a_moment_ago_is_not_asked_again(desk: FakeDesk, registration: Registration) -> None:
    desk.work(STEP, registration)
    assert desk.backend.count("preflight") == 0


def test_what_was_found_out_earlier_is_asked_again(desk: FakeDesk, old: Registration) -> None:
    desk.work(STEP, old)
    assert desk.backend.count("preflight") == 1


def test_a_check_that_fails_meanwhile_stops_the_deployment_before_anything_is_loaded(
    desk: FakeDesk, old: Registration
) -> None:
    desk.backend.engines["sales-main"].checks = [a_check(outcome=Outcome.FAILED, todo=say("Mend the disk."))]
    with pytest.raises(InvalidInput, match="Free disk") as refused:
        desk.work(STEP, old)
    assert str(refused.value.problem.todo) == "Mend the disk."
    assert desk.backend.count("load") == 0


def test_a_doubt_that_was_accepted_stops_nothing(desk: FakeDesk, old: Registration) -> None:
    doubt = a_check(outcome=Outcome.DOUBTFUL)
    desk.backend.engines["sales-main"].checks = [doubt]
    with pytest.raises(InvalidInput, match="was not accepted"):
        desk.work(STEP, old)
    shown = old.checked(replace(old.preflight or a_preflight(), checks=(doubt,)))
    assert desk.work(STEP, STEP.submit(shown, desk.submission(accept_disk="yes"), desk.services)).deployment


def test_each_doubt_has_to_be_accepted_by_itself(desk: FakeDesk, registration: Registration) -> None:
    doubts = (a_check(outcome=Outcome.DOUBTFUL), a_check(slug="engine", outcome=Outcome.DOUBTFUL))
    shown = registration.checked(a_preflight(checks=doubts))
    with pytest.raises(InvalidInput, match="was not accepted"):
        STEP.submit(shown, desk.submission(accept_disk="yes"), desk.services)


def test_a_failed_check_cannot_be_accepted(desk: FakeDesk, registration: Registration) -> None:
    shown = registration.checked(a_preflight(checks=(a_check(outcome=Outcome.FAILED),)))
    with pytest.raises(InvalidInput, match="nothing is deployed"):
        STEP.submit(shown, desk.submission(accept_disk="yes"), desk.services)


def test_a_port_taken_since_it_was_checked_is_said(desk: FakeDesk, old: Registration) -> None:
    desk.backend.engines["sales-main"].others = {18081: "process python (4711)"}
    with pytest.raises(InvalidInput, match="taken") as refused:
        desk.work(STEP, old)
    assert "4711" in str(refused.value.problem.why)


def test_a_node_that_is_down_is_said_before_anything_is_loaded(desk: FakeDesk, old: Registration) -> None:
    desk.backend.engines["sales-main"].well = False
    with pytest.raises(BackendError):
        desk.work(STEP, old)
    assert desk.backend.count("load") == 0


def test_an_archive_that_is_gone_is_said(desk: FakeDesk, registration: Registration) -> None:
    (desk.spool.folder / an_image().digest).unlink()
    with pytest.raises(BackendError):
        desk.work(STEP, registration)


def test_the_words_of_the_engine_are_kept(desk: FakeDesk, registration: Registration) -> None:
    desk.backend.fail("start", broken("no space left on device"))
    with pytest.raises(BackendError) as refused:
        desk.work(STEP, registration)
    assert refused.value.problem.raw == "no space left on device"


def test_a_container_that_does_not_stay_up_is_said_with_what_it_printed(
    desk: FakeDesk, registration: Registration
) -> None:
    task = desk.task()
    run_until("answer", registration, task)
    desk.license_servers.fail("status", broken(permanent=False), times=1000)
    desk.backend.engines["sales-main"].containers[name_of(task)].running = False
    with pytest.raises(BackendError, match="stopped by itself") as refused:
        phase("answer").run(registration, task)
    assert refused.value.problem.raw == "started\n"


def test_one_that_never_says_where_it_can_be_asked_is_given_up_after_a_minute(
    desk: FakeDesk, registration: Registration
) -> None:
    desk.backend.engines["sales-main"].volumes[an_image().licence] = {}
    began = desk.now
    with pytest.raises(BackendError, match="does not answer") as refused:
        desk.work(STEP, registration)
    assert (desk.now - began).total_seconds() == 60
    assert str(refused.value.problem.why).endswith("has said nothing for 60 seconds.")
    assert refused.value.problem.raw == "started\n"


def test_one_that_is_in_trouble_for_a_minute_is_given_up_with_what_it_said_last(
    desk: FakeDesk, registration: Registration
) -> None:
    trouble = BackendError(
        say("The authorization application is in trouble."),
        why=say("It answered with the error %(status)s.", status=503),
        todo=say("Read its log on the node, then try again."),
        raw="clock_behind",
        permanent=False,
    )
    desk.license_servers.fail("status", broken(permanent=False))
    desk.license_servers.fail("status", trouble, times=5000)
    began = desk.now
    with pytest.raises(BackendError) as refused:
        desk.work(STEP, registration)
    told = refused.value.problem
    assert (desk.now - began).total_seconds() == 60
    assert (told.happened, told.why, told.todo) == (trouble.problem.happened, trouble.problem.why, trouble.problem.todo)
    assert told.raw == "clock_behind\n\nstarted\n"
    assert refused.value.permanent


def test_a_wrong_key_is_not_waited_for(desk: FakeDesk, registration: Registration) -> None:
    desk.license_servers.fail("status", broken("the key is another one", permanent=True))
    with pytest.raises(BackendError) as refused:
        desk.work(STEP, registration)
    assert refused.value.problem.raw == "the key is another one"


def test_nothing_can_be_deployed_before_the_steps_before(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput):
        desk.work(STEP, a_placed_registration(port=None))
