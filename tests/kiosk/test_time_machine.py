"""Each rule from R6 to R11 happens in the time machine, to real processes, and the page says so."""

from collections.abc import Callable

import pytest

from tests.kiosk.visiting import WIZARD, KioskVisitor

WRONG = "000000"
Reach = Callable[[KioskVisitor], None]


def deployed(visitor: KioskVisitor) -> None:
    visitor.take_the_sample()
    visitor.deploy()


def registered(visitor: KioskVisitor) -> None:
    visitor.verify()
    visitor.register()
    visitor.hear_of("R8", "has registered")


def test_r6_a_qr_code_expires_after_five_minutes(visitor: KioskVisitor) -> None:
    deployed(visitor)
    visitor.show_the_qr()
    visitor.hear_of("R6", "valid for five minutes")
    visitor.press_the_machine("5m")
    visitor.hear_of("R6", "has expired")
    assert "expired" in visitor.to("scan").text


def test_r6_the_sixth_wrong_code_locks_for_fifteen_minutes(visitor: KioskVisitor) -> None:
    deployed(visitor)
    right = visitor.ask_the_phone(visitor.show_the_qr())
    wrong = WRONG if right != WRONG else "000001"
    for left in (5, 4, 3, 2, 1):
        visitor.enter(wrong)
        visitor.hear_of("R6", f"Tries left: {left}")
    visitor.enter(wrong)
    visitor.hear_of("R6", "locked for 15 minutes")
    visitor.press_the_machine("5m")
    assert "locked" in visitor.open(f"{WIZARD}/scan").text
    visitor.press_the_machine("15m")
    visitor.hear_of("R6", "The lock is over")
    assert visitor.show_the_qr()


def test_r7_a_restart_before_anybody_has_registered_takes_the_verification_back(visitor: KioskVisitor) -> None:
    visitor.verify()
    visitor.hear_of("R6", "it is verified")
    visitor.press_the_machine("restart")
    visitor.hear_of("R7", "took the verification back")
    assert visitor.standing() == ("UNAUTHENTICATED", "UNREGISTERED")


@pytest.mark.long
def test_r7_so_do_24_hours(visitor: KioskVisitor) -> None:
    visitor.verify()
    visitor.hear_of("R6", "it is verified")
    visitor.press_the_machine("24h")
    visitor.press_the_machine("5m")
    visitor.hear_of("R7", "took the verification back")


def test_r8_and_r9_it_registers_and_asks_each_two_hours_for_a_week(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("2h")
    assert visitor.status == 200
    visitor.press_the_machine("1w")
    assert "84 times" in visitor.hear_of("R9", "84 times")
    assert visitor.standing() == ("ACTIVE", "CONNECTED")
    assert len(visitor.page.select(".chart .tick")) >= 85


def test_r10_after_a_restart_the_project_reconnects_within_two_hours(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("restart")
    visitor.hear_of("R10", "waits two hours")
    assert visitor.standing()[0] == "WINDOW"
    visitor.press_the_machine("2h")
    visitor.hear_of("R10", "has reconnected within two hours")
    assert visitor.standing() == ("ACTIVE", "CONNECTED")


@pytest.mark.long
def test_r10_a_project_that_cannot_reconnect_in_two_hours_fails(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("cut")
    visitor.press_the_machine("restart")
    visitor.hear_of("R10", "waits two hours")
    visitor.press_the_machine("2h")
    visitor.press_the_machine("5m")
    visitor.hear_of("R10", "did not reconnect within two hours")
    visitor.press_the_machine("mend")
    visitor.press_the_machine("15m")
    visitor.hear_of("R11", "was told that its registration is gone")


def test_r10_a_stop_of_more_than_24_hours_needs_a_new_scan(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("stop")
    assert visitor.standing()[0] == "STOPPED"
    visitor.press_the_machine("24h")
    visitor.press_the_machine("5m")
    visitor.press_the_machine("start")
    visitor.hear_of("R10", "down for more than 24 hours")
    assert visitor.standing()[0] == "REAUTHENTICATE"


@pytest.mark.long
def test_r10_a_stop_of_less_heals(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("stop")
    for _ in range(4):
        visitor.press_the_machine("2h")
    visitor.press_the_machine("start")
    visitor.press_the_machine("5m")
    visitor.hear_of("R10", "has reconnected within two hours")
    assert visitor.standing() == ("ACTIVE", "CONNECTED")


def test_r11_a_network_that_is_cut_costs_both_sides_the_registration_after_24_hours(visitor: KioskVisitor) -> None:
    registered(visitor)
    visitor.press_the_machine("cut")
    visitor.press_the_machine("24h")
    visitor.hear_of("R9", "got no answer")
    visitor.hear_of("R11", "No request came for more than 24 hours")
    visitor.hear_of("R11", "The project got no answer for more than 24 hours")
    visitor.press_the_machine("2h")
    visitor.hear_of("R11", "The registration of the project has failed")
    assert visitor.standing() == ("ACTIVE", "FAILED")
    assert visitor.open(f"{WIZARD}/register").status == 200


def test_before_anything_is_deployed_there_is_no_time_to_move(visitor: KioskVisitor) -> None:
    for act in ("5m", "restart", "cut"):
        visitor.press_the_machine(act)
    assert visitor.happened() == []
    assert all(button.has_attr("disabled") for button in visitor.page.select("#machine button"))
