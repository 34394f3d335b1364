"""Values of the rules as rows of the database, and back. SQLite has no checksums, so each row has a seal of its own.

The seal is an HMAC over the row and the name of its table, with a key that only this instance has: a row that was
changed, by a failing disk or by hand, is noticed when it is read. The instance's own row has the blend of the seals of
all others in it: so one that is gone, or an earlier copy of one, is noticed too.
"""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import reduce
from operator import xor
from typing import Any

from sqlalchemy import Row, Table

from wizard.licensing.rules.instance import Asker, Challenge, Entry, Failure, Instance, Lock, Slot, SlotState, State
from wizard.licensing.rules.timeline import Mark

Values = Mapping[str, Any]
"""A row without its seal, by the names of its columns."""


class Damaged(Exception):
    """What the database says is not what was written to it."""


@dataclass(frozen=True)
class Sealer:
    """Puts seals upon rows, and checks them. `key` has 32 bytes."""

    key: bytes

    def sealed(self, table: Table, values: Values) -> dict[str, Any]:
        return {**values, "seal": self._seal(table, values)}

    def opened(self, table: Table, row: Row[Any]) -> Values:
        """The row without its seal; Damaged when that does not fit."""
        values = dict(row._mapping)
        if not hmac.compare_digest(str(values.pop("seal")).encode(), self._seal(table, values).encode()):
            raise Damaged(f"A row of the table {table.name} was changed.")
        return values

    def _seal(self, table: Table, values: Values) -> str:
        text = json.dumps([table.name, values], sort_keys=True, default=bytes.hex)
        return hmac.digest(self.key, text.encode(), "sha256").hex()


def blend(seals: Iterable[str]) -> int:
    """All of those seals in one number: their XOR, so that a row can be taken out, or put in, without the others.

    Two rows with one seal would cancel each other out. They would be the same row, and its key is there but once.
    """
    return reduce(xor, (int(seal, 16) for seal in seals), 0)


def instance_row(instance: Instance, version: int, others: int) -> Values:
    """`others` is the blend of all rows but this one."""
    entries = {asker: asdict(entry) for asker, entry in instance.entries.items()}
    return {
        "id": 1,
        "version": version,
        "state": instance.state.value,
        "maximum": instance.maximum,
        "counter": instance.counter,
        "entries": json.dumps(entries),
        "verified": instance.verified,
        "window_end": instance.window_end,
        "others": f"{others:064x}",
        "alive": instance.alive,
        "clean": instance.clean,
        "stopped": instance.stopped,
        "started": instance.started,
    }


def instance_of(row: Values, slots: Iterable[Slot]) -> Instance:
    entries = json.loads(row["entries"])
    return Instance(
        state=State(row["state"]),
        maximum=row["maximum"],
        counter=row["counter"],
        entries={asker: _entry(entries[asker]) for asker in Asker},
        verified=row["verified"],
        window_end=row["window_end"],
        slots={slot.key: slot for slot in slots},
        alive=row["alive"],
        clean=row["clean"],
        stopped=row["stopped"],
        started=row["started"],
    )


def _entry(entry: Values) -> Entry:
    challenge = entry["challenge"]
    return Entry(
        lock=Lock(**entry["lock"]),
        challenge=Challenge(**challenge) if challenge else None,
        consumed=entry["consumed"],
    )


def slot_row(slot: Slot) -> Values:
    return {
        "project": slot.project,
        "node": slot.node,
        "name": slot.name,
        "state": slot.state.value,
        "registered": slot.registered,
        "last": slot.last,
        "reason": slot.reason.value if slot.reason else None,
        "healing": slot.healing,
    }


def slot_of(row: Values) -> Slot:
    reason = Failure(row["reason"]) if row["reason"] else None
    return Slot(**{**row, "state": SlotState(row["state"]), "reason": reason})


def mark_row(mark: Mark) -> Values:
    return {"id": 1, **asdict(mark)}


def mark_of(row: Values) -> Mark:
    return Mark(**{name: value for name, value in row.items() if name != "id"})
