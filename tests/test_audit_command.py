"""The audit trail in a terminal."""

import csv
import io
from datetime import timedelta

from click.testing import CliRunner

from tests.contracts.audit import RICH, a_deed
from tests.factories import NOW
from tests.memory_audit import MemoryTrail
from wizard.audit import COLUMNS, cells_of, commands, harmless, note
from wizard.domain.audit import Deed, Entry, Outcome, Sought, Way


def filled() -> MemoryTrail:
    trail = MemoryTrail()
    for number in range(1500):
        trail.append(RICH if number % 2 else a_deed())
    return trail


def run(trail: MemoryTrail, command: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands(lambda: trail), [command])
    return done.exit_code, done.output


def test_a_whole_chain_is_told_with_its_newest_digest() -> None:
    trail = filled()
    told = f"The chain is whole: 1,500 entries.\nDigest of entry 1,500: {trail.end().digest}\n"
    assert run(trail, "verify") == (0, told)


def test_a_broken_chain_is_told_with_its_first_number_and_exit_status_1() -> None:
    trail = filled()
    trail.kept[1233] = Entry(number=1234, deed=a_deed(), digest=trail.kept[1233].digest)
    status, told = run(trail, "verify")
    assert status == 1
    assert told.startswith("The chain is broken at entry 1,234. Up to the one before it is whole.\n")


def test_the_export_holds_all_rows_as_they_are() -> None:
    trail = filled()
    status, text = run(trail, "export")
    assert status == 0
    rows = list(csv.reader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert rows[1:] == [[harmless(cell) for cell in cells_of(entry)] for entry in trail.entries(Sought())]


def test_what_was_done_in_a_terminal_is_noted_with_the_user_of_the_machine() -> None:
    trail = MemoryTrail()
    note(trail, "make-link", NOW + timedelta(hours=1))
    [entry] = trail.kept
    assert (entry.deed.way, entry.deed.act, entry.deed.outcome) == (Way.TERMINAL, "make-link", Outcome.DONE)
    assert entry.deed.who


class Full(MemoryTrail):
    def append(self, deed: Deed) -> Entry:
        raise OSError("no space left")


def test_a_trail_that_cannot_be_written_to_keeps_nobody_out() -> None:
    note(Full(), "make-link", NOW)
