"""What a registration gives up, takes in, and refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.factories import (
    NOW,
    a_challenge,
    a_check,
    a_cluster,
    a_deployed_registration,
    a_deployment,
    a_placed_registration,
    a_preflight,
    a_project,
    a_slot,
    a_status,
    an_image,
    an_inspection,
)
from wizard.domain.deployment import ServerState
from wizard.domain.preflight import Outcome, Plan
from wizard.domain.registration import Objection, Registration, Standing
from wizard.errors import InvalidInput

LATER = NOW + timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)


def a_verified_registration() -> Registration:
    return a_deployed_registration(challenge=a_challenge(scanned=True), verified_at=NOW)


def test_another_node_gives_up_the_port_and_the_deployment() -> None:
    moved = a_deployed_registration().place(a_cluster(), "plan-component")
    assert (moved.port, moved.preflight, moved.deployment) == (None, None, None)
    assert moved.discarded == (a_deployment(),)


def test_the_same_node_again_gives_up_nothing() -> None:
    registration = a_deployed_registration()
    assert registration.place(a_project(), "sales-main") == registration


def test_another_port_gives_up_the_deployment_and_keeps_the_node() -> None:
    moved = a_deployed_registration().use_port(18082)
    assert moved.node is not None
    assert (moved.deployment, moved.discarded) == (None, (a_deployment(),))


def test_another_image_has_to_be_looked_at_before_it_is_used() -> None:
    changed = a_placed_registration().use_image(an_image(digest="77" * 32))
    assert not changed.image_accepted
    assert changed.port == 18081


def test_the_same_image_again_stays_accepted() -> None:
    assert a_placed_registration().use_image(an_image()).image_accepted


def test_what_a_change_would_lose_is_known_beforehand() -> None:
    registration = a_verified_registration()
    assert set(registration.loses("node")) == {"port", "preflight", "deployment", "challenge", "verified_at"}
    assert a_placed_registration().loses("deployment") == ()


@pytest.mark.parametrize("port", [0, 80, 1023, 65536, 99999])
def test_a_port_outside_the_range_is_refused(port: int) -> None:
    with pytest.raises(InvalidInput):
        a_placed_registration().use_port(port)


@pytest.mark.parametrize("port", [1024, 18081, 65535])
def test_the_ends_of_the_range_of_ports_belong_to_it(port: int) -> None:
    assert a_placed_registration().use_port(port).port == port


def test_a_new_qr_code_undoes_that_the_old_one_was_scanned() -> None:
    registration = a_deployed_registration(challenge=a_challenge(scanned=True))
    fresh = registration.challenged(a_challenge(id="another"))
    assert fresh.challenge is not None
    assert not fresh.challenge.scanned


def test_once_the_code_was_accepted_there_is_no_new_qr_code() -> None:
    with pytest.raises(InvalidInput):
        a_verified_registration().challenged(a_challenge(id="another"))


def test_nothing_can_be_scanned_before_there_is_a_qr_code() -> None:
    with pytest.raises(InvalidInput):
        a_deployed_registration().scanned()


def test_a_qr_code_is_open_up_to_and_including_five_minutes() -> None:
    registration = a_deployed_registration(challenge=a_challenge())
    end = NOW + timedelta(minutes=5)
    assert registration.standing(end) is Standing.OPEN
    assert registration.standing(end + MILLISECOND) is Standing.EXPIRED


def test_a_qr_code_shown_elsewhere_supersedes_ours() -> None:
    status = a_status(challenge="another", seen_at=LATER)
    registration = a_deployed_registration(challenge=a_challenge(), server=status)
    assert registration.standing(LATER) is Standing.SUPERSEDED


def test_what_was_seen_before_the_qr_code_was_made_says_nothing_of_it() -> None:
    status = a_status(challenge="an older one", seen_at=NOW - timedelta(seconds=1))
    assert a_deployed_registration(challenge=a_challenge(), server=status).standing(NOW) is Standing.OPEN


def test_a_lock_ends_at_its_moment() -> None:
    registration = a_deployed_registration(server=a_status(locked_until=LATER))
    assert registration.locked_until(LATER - MILLISECOND) == LATER
    assert registration.locked_until(LATER) is None


def test_a_code_entered_elsewhere_is_noticed() -> None:
    seen = a_deployed_registration().observed(a_status(state=ServerState.VERIFIED), LATER)
    assert seen.verified_at == LATER


def test_a_restart_before_registering_loses_the_verification_and_says_so() -> None:
    seen = a_verified_registration().observed(a_status(), LATER)
    assert (seen.verified_at, seen.challenge) == (None, None)
    assert seen.notice is not None


def test_the_first_request_completes_the_registration() -> None:
    slot = a_slot(last_request_at=LATER)
    seen = a_verified_registration().observed(a_status(state=ServerState.ACTIVE, slots=(slot,)), LATER)
    assert seen.registered_at == LATER
    assert seen.last_request_at == LATER


def test_registering_alone_is_not_yet_a_request() -> None:
    seen = a_verified_registration().observed(a_status(state=ServerState.ACTIVE, slots=(a_slot(),)), LATER)
    assert seen.registered_at is None
    assert seen.is_being_served


def test_what_is_found_out_anew_keeps_the_plan_and_forgets_what_was_accepted() -> None:
    plan = Plan(manual="docker run <image>")
    shown = a_placed_registration(preflight=a_preflight(plan=plan), accepted=("disk",))
    again = shown.checked(a_preflight(checks=()))
    assert again.preflight == a_preflight(checks=(), plan=plan)
    assert again.accepted == ()


def test_an_objection_holds_what_was_found_out() -> None:
    found = a_placed_registration().checked(a_preflight(checks=(a_check(outcome=Outcome.DOUBTFUL),)))
    with pytest.raises(Objection, match="was not accepted") as refused:
        found.accept(())
    assert refused.value.registration == found


def test_a_finished_registration_cannot_be_changed() -> None:
    registration = a_deployed_registration(verified_at=NOW, registered_at=NOW)
    with pytest.raises(InvalidInput):
        registration.use_port(18082)


def test_times_that_waver_with_the_network_are_the_same_times() -> None:
    earlier = a_status(locked_until=LATER, seen_at=NOW)
    wavering = a_status(locked_until=LATER + timedelta(milliseconds=40), seen_at=NOW + timedelta(seconds=2))
    assert wavering.steadied_by(earlier).says_the_same_as(earlier)


def test_what_was_seen_of_its_container_holds_until_it_answers_again() -> None:
    registration = a_deployed_registration(server=a_status(seen_at=NOW))
    ended = an_inspection(running=False, exit_code=1, seen_at=NOW + MILLISECOND)
    assert registration.believes(ended)
    assert not replace(registration, server=a_status(seen_at=ended.seen_at)).believes(ended)


def test_of_one_that_is_never_asked_what_was_seen_after_it_was_deployed_holds() -> None:
    ended = an_inspection(running=False, exit_code=1, seen_at=NOW + MILLISECOND)
    assert a_deployed_registration().believes(ended)
    assert not a_deployed_registration(deployment=a_deployment(deployed_at=LATER)).believes(ended)


def test_what_was_seen_of_another_container_says_nothing_of_ours() -> None:
    assert not a_deployed_registration().believes(an_inspection(name="an-earlier-one", seen_at=LATER))
    assert not a_placed_registration().believes(an_inspection(seen_at=LATER))
