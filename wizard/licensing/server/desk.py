"""Reading and writing rows inside one transaction."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, delete, insert, select, update

from wizard.licensing.protocol.messages import Message, digest
from wizard.licensing.rules.instance import Asker, Instance
from wizard.licensing.rules.timeline import Mark
from wizard.licensing.server import rows, tables
from wizard.licensing.server.database import trusting
from wizard.licensing.server.rows import Damaged, Sealer, Values, blend

WHOLE_PROJECT = ""
"""The channel of the messages that are not about one node."""


class Conflict(Exception):
    """Another writer was faster. It cannot happen while every writer takes the lock first, so it is not mended."""


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The last message on a channel, and what it was answered."""

    sequence: int
    request: str
    answer: Message

    @property
    def digest(self) -> str:
        return digest(self.answer)


@dataclass(frozen=True)
class Kept:
    """The instance as it is on the disk."""

    version: int
    """It rises with each write."""
    others: int
    """All rows but the instance's own (`rows.blend`)."""
    instance: Instance


class Desk:
    """A connection whose rows are sealed when they are written, and checked when they are read."""

    def __init__(self, connection: Connection, sealer: Sealer) -> None:
        self.connection = connection
        self.changed = 0
        """What its writes have changed in the blend of all rows (`rows.blend`)."""
        self._sealer = sealer

    def read(self, query: Select[Any], table: Table) -> list[Values]:
        with trusting():
            return [self._sealer.opened(table, row) for row in self.connection.execute(query)]

    def all(self, table: Table) -> list[Values]:
        return self.read(select(table), table)

    def sound(self, table: Table) -> Iterator[Values]:
        """Those rows of a damaged table that are as they were written."""
        with suppress(Damaged), trusting():
            for row in self.connection.execute(select(table)):
                with suppress(Damaged):
                    yield self._sealer.opened(table, row)

    def put(self, table: Table, values: Values) -> None:
        """In place of the row with the same key, if there is one."""
        self.remove(table, *(column == values[column.name] for column in table.primary_key))
        row = self._sealer.sealed(table, values)
        self.connection.execute(insert(table), row)
        self.changed ^= blend([row["seal"]])

    def remove(self, table: Table, *which: ColumnElement[bool]) -> None:
        """The rows that fit all of `which`."""
        with trusting():
            self.changed ^= blend(self.connection.scalars(delete(table).where(*which).returning(table.c.seal)))

    def put_instance(self, kept: Kept, expected: int) -> None:
        """In place of the version that is expected. Its row is not in the blend, for it says what that is."""
        row = self._sealer.sealed(tables.instance, rows.instance_row(kept.instance, kept.version, kept.others))
        which = tables.instance.c.version == expected
        if self.connection.execute(update(tables.instance).where(which).values(row)).rowcount != 1:
            raise Conflict

    def make_instance(self, instance: Instance) -> None:
        """The first version, in a database that has none."""
        row = rows.instance_row(instance, 0, self.changed)
        self.connection.execute(insert(tables.instance), self._sealer.sealed(tables.instance, row))

    def version(self) -> int:
        """Of the instance's row; -1 when there is none."""
        with trusting():
            version = self.connection.scalar(select(tables.instance.c.version))
        return -1 if version is None else version

    def kept(self) -> Kept:
        """What the disk holds."""
        found = self.all(tables.instance)
        if len(found) != 1:
            raise Damaged("The row of the instance is missing.")
        [row] = found
        slots = [rows.slot_of(slot) for slot in self.all(tables.slots)]
        with trusting():
            return Kept(row["version"], int(row["others"], 16), rows.instance_of(row, slots))

    def check(self, others: int) -> None:
        """Damaged unless all other rows are those that belong together: none is older, gone, or one too many."""
        seals = []
        for table in tables.OTHERS:
            with trusting():
                for row in self.connection.execute(select(table)):
                    self._sealer.opened(table, row)
                    seals.append(str(row.seal))
        if blend(seals) != others:
            raise Damaged("There are rows that do not belong together.")


class Change:
    """One transaction, alone with the instance as it is (BEGIN IMMEDIATE). Committed when its block ends well."""

    def __init__(self, desk: Desk, kept: Kept) -> None:
        self._desk = desk
        self._kept = kept
        self.instance = kept.instance

    def save(self, after: Instance) -> None:
        """Write what differs. The row of the instance itself comes last, once (`finish`)."""
        for slot in after.slots_since(self.instance):
            self._desk.put(tables.slots, rows.slot_row(slot))
        for project, node in self.instance.slots.keys() - after.slots.keys():
            self._forget(project, node, forever=all(project != other for other, _ in after.slots))
        self.instance = after

    def keep_qr(self, asker: Asker, id: str, qr: bytes) -> None:
        """The bytes of the challenge that is open for this asker from now on."""
        self._desk.put(tables.challenges, {"asker": asker.value, "id": id, "qr": qr})

    def keep_mark(self, mark: Mark) -> None:
        self._desk.put(tables.marks, rows.mark_row(mark))

    def answered(self, project: str, channel: str) -> Answered | None:
        table = tables.answers
        query = select(table).where(table.c.project == project, table.c.channel == channel)
        for row in self._desk.read(query, table):
            return Answered(sequence=row["sequence"], request=row["request"], answer=json.loads(row["answer"]))
        return None

    def keep_answer(self, project: str, channel: str, answered: Answered) -> None:
        row = {
            "project": project,
            "channel": channel,
            "sequence": answered.sequence,
            "request": answered.request,
            "answer": json.dumps(answered.answer),
        }
        self._desk.put(tables.answers, row)

    def finish(self) -> Kept:
        """Write the row of the instance, in one UPDATE that is conditional on the version read."""
        if self.instance is self._kept.instance and not self._desk.changed:
            return self._kept
        kept = Kept(self._kept.version + 1, self._kept.others ^ self._desk.changed, self.instance)
        self._desk.put_instance(kept, self._kept.version)
        return kept

    def _forget(self, project: str, node: str, *, forever: bool) -> None:
        """A slot that is remembered no longer, and the last answer to it; to its project too, when it was the last."""
        slots, answers = tables.slots.c, tables.answers.c
        self._desk.remove(tables.slots, slots.project == project, slots.node == node)
        channels = (node, WHOLE_PROJECT) if forever else (node,)
        self._desk.remove(tables.answers, answers.project == project, answers.channel.in_(channels))
