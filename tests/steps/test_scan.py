"""R6: a QR code is fetched when it is asked for; the one before is void."""

import pytest

from tests.desk import FakeDesk
from tests.factories import a_challenge, a_deployed_registration, a_placed_registration, a_status
from wizard.domain.deployment import ServerState
from wizard.errors import InvalidInput
from wizard.steps.scan import STEP


def test_each_refresh_fetches_a_new_qr_code(desk: FakeDesk) -> None:
    refresh = STEP.action("refresh")
    first = refresh(a_deployed_registration(), desk.submission(), desk.services)
    second = refresh(first, desk.submission(), desk.services)
    assert first.challenge is not None
    assert second.challenge is not None
    assert first.challenge.id != second.challenge.id


def test_the_step_is_done_when_the_phone_has_its_digits(desk: FakeDesk) -> None:
    registration = a_deployed_registration(challenge=a_challenge())
    assert not STEP.is_done(registration)
    assert STEP.is_done(STEP.submit(registration, desk.submission(), desk.services))


def test_there_is_nothing_to_refresh_before_it_is_deployed(desk: FakeDesk) -> None:
    with pytest.raises(InvalidInput):
        STEP.action("refresh")(a_placed_registration(), desk.submission(), desk.services)


def test_the_page_knows_the_four_words_to_compare(desk: FakeDesk) -> None:
    words = STEP.context(a_deployed_registration(server=a_status()), desk.services)["words"]
    assert isinstance(words, tuple)
    assert len(words) == 4


def test_a_code_entered_on_the_applications_own_page_is_noticed(desk: FakeDesk) -> None:
    assert STEP.watch is not None
    desk.license_servers.now_says = a_status(state=ServerState.VERIFIED)
    assert STEP.watch(a_deployed_registration(), desk.workshop).verified_at == desk.now
