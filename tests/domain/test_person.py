"""Who sees which registrations."""

from tests.factories import a_placed_registration, a_registration
from wizard.domain.person import Person, Role

SOMEBODY = Person(name="ann", role=Role.OBSERVER)
OF_SALES = Person(name="FineOps", role=Role.ADMIN, project="sales")
OF_R1 = Person(name="a link", role=Role.OBSERVER, registration="r1")


def test_whoever_is_not_limited_sees_all() -> None:
    assert SOMEBODY.sees(a_registration())


def test_whoever_was_let_in_for_a_project_sees_what_was_begun_for_it_or_is_placed_in_it() -> None:
    assert OF_SALES.sees(a_registration(for_project="sales"))
    assert OF_SALES.sees(a_placed_registration())
    assert not OF_SALES.sees(a_registration())
    assert not OF_SALES.sees(a_registration(for_project="plan"))


def test_whoever_was_let_in_for_one_registration_sees_no_other() -> None:
    assert OF_R1.sees(a_registration(id="r1"))
    assert not OF_R1.sees(a_registration(id="r2"))


def test_an_observer_changes_nothing() -> None:
    assert (SOMEBODY.may_change, OF_SALES.may_change) == (False, True)
