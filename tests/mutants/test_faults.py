"""The list of planted faults fits the rules as they are; `make mutants` plants them."""

from collections import Counter

import pytest

from tests.mutants.planting import ROOT, RULES, Fault, Unplantable, faults


@pytest.mark.parametrize("fault", faults(), ids=lambda fault: fault.name)
def test_a_fault_can_be_planted_in_exactly_one_place_and_is_still_python(fault: Fault) -> None:
    text = (ROOT / RULES / fault.file).read_text()
    compile(fault.planted(text), fault.file, "exec")


def test_no_fault_is_planted_twice() -> None:
    listed = faults()
    assert Counter(fault.name for fault in listed).most_common(1)[0][1] == 1
    assert Counter((fault.file, fault.old, fault.new) for fault in listed).most_common(1)[0][1] == 1


def test_each_rule_of_the_machines_has_its_faults() -> None:
    assert {fault.rule for fault in faults()} == {f"R{number}" for number in range(6, 15)}


@pytest.mark.parametrize("old", ["not there", "e"])
def test_what_is_not_there_exactly_once_cannot_be_replaced(old: str) -> None:
    with pytest.raises(Unplantable):
        Fault(name="n", rule="R6", file="f", old=old, new="x").planted("here, there")
