"""R6: right, wrong, locked, expired and superseded are told apart."""

import pytest

from tests.desk import FakeDesk
from tests.factories import a_deployed_registration
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.steps import scan
from wizard.steps.code import STEP


@pytest.fixture
def registration(desk: FakeDesk) -> Registration:
    """One with an open QR code, known to the store."""
    saved = desk.store.save(a_deployed_registration())
    return scan.STEP.action("refresh")(saved, desk.submission(), desk.services).scanned()


def enter(desk: FakeDesk, registration: Registration, code: str) -> Registration:
    return STEP.submit(registration, desk.submission(code=code), desk.services)


def refusal(desk: FakeDesk, registration: Registration, code: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        enter(desk, registration, code)
    problem = refused.value.problem
    return f"{problem.happened} {problem.why}"


def test_the_right_code_verifies(desk: FakeDesk, registration: Registration) -> None:
    assert enter(desk, registration, "123456").verified_at == desk.now


def test_spaces_in_the_code_do_not_matter(desk: FakeDesk, registration: Registration) -> None:
    assert STEP.is_done(enter(desk, registration, " 123 456 "))


def test_a_wrong_code_says_how_many_tries_are_left(desk: FakeDesk, registration: Registration) -> None:
    assert "wrong" in refusal(desk, registration, "000000")
    assert "4 tries are left" in refusal(desk, registration, "000000")


def test_the_fifth_wrong_code_warns_and_the_sixth_locks(desk: FakeDesk, registration: Registration) -> None:
    for _ in range(4):
        refusal(desk, registration, "000000")
    assert "One more wrong code locks" in refusal(desk, registration, "000000")
    assert "locked" in refusal(desk, registration, "000000")
    assert desk.store.registration(registration.id).locked_until(desk.now) is not None


def test_during_the_lock_the_right_code_is_not_looked_at(desk: FakeDesk, registration: Registration) -> None:
    for _ in range(6):
        refusal(desk, registration, "000000")
    assert "not even a right one" in refusal(desk, registration, "123456")


def test_an_expired_code_is_told_apart_and_not_counted(desk: FakeDesk, registration: Registration) -> None:
    desk.clock.advance(minutes=5, milliseconds=1)
    assert "expired" in refusal(desk, registration, "123456")
    assert desk.license_servers.now_says.tries_left == 6


def test_a_code_for_an_older_qr_code_is_told_apart_and_not_counted(desk: FakeDesk, registration: Registration) -> None:
    desk.license_servers.challenge(registration.endpoint, desk.now)
    assert "older QR code" in refusal(desk, registration, "123456")
    assert desk.license_servers.now_says.tries_left == 6


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "12 34", "１２３４５６"])
def test_what_is_not_six_digits_is_no_try(desk: FakeDesk, registration: Registration, code: str) -> None:
    assert "nothing was counted" in refusal(desk, registration, code)
    assert desk.license_servers.count("submit") == 0


def test_without_a_qr_code_there_is_nothing_to_answer(desk: FakeDesk) -> None:
    assert "no QR code" in refusal(desk, a_deployed_registration(), "123456")
