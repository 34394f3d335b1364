"""The instance's memory: SQLite in the config folder. What a method has written is on the disk when it returns."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, delete, event, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from wizard.licensing.protocol.messages import Message, digest
from wizard.licensing.rules.instance import Challenge, Failure, Instance, Lock, Slot, SlotState, State
from wizard.licensing.server import tables

DATABASE = "license.db"
THREADS = 16
BUSY_SECONDS = 30


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


class Change:
    """One transaction, alone with the instance as it is (BEGIN IMMEDIATE). Committed when its block ends well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._version, self.instance = _load(connection)

    def save(self, after: Instance) -> None:
        """Write what differs, in one UPDATE that is conditional on the version read."""
        written = self._connection.execute(
            update(tables.instance)
            .where(tables.instance.c.version == self._version)
            .values(version=self._version + 1, **_instance_row(after))
        )
        if written.rowcount != 1:
            raise Conflict
        for slot in set(after.slots) - set(self.instance.slots):
            row = _slot_row(slot)
            self._connection.execute(
                upsert(tables.slots).values(row).on_conflict_do_update(index_elements=["project", "node"], set_=row)
            )
        self._version, self.instance = self._version + 1, after

    def keep_qr(self, id: str, qr: bytes) -> None:
        """The bytes of the challenge that is open from now on."""
        self._connection.execute(delete(tables.challenges))
        self._connection.execute(insert(tables.challenges).values(id=id, qr=qr))

    def answered(self, project: str, channel: str) -> Answered | None:
        table = tables.answers
        row = self._connection.execute(
            select(table).where(table.c.project == project, table.c.channel == channel)
        ).one_or_none()
        return Answered(sequence=row.sequence, request=row.request, answer=json.loads(row.answer)) if row else None

    def keep_answer(self, project: str, channel: str, answered: Answered) -> None:
        row = {
            "project": project,
            "channel": channel,
            "sequence": answered.sequence,
            "request": answered.request,
            "answer": json.dumps(answered.answer),
        }
        self._connection.execute(
            upsert(tables.answers).values(row).on_conflict_do_update(index_elements=["project", "channel"], set_=row)
        )


class Store:
    """The database `license.db` in the config folder, made when there is none."""

    def __init__(self, config: Path) -> None:
        self._engine = _engine(config / DATABASE)
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            tables.metadata.create_all(connection)
            empty = {"id": 1, "version": 0, **_instance_row(Instance())}
            connection.execute(upsert(tables.instance).values(empty).on_conflict_do_nothing())

    def load(self) -> Instance:
        """The instance as it was last written."""
        with self._engine.connect() as connection:
            return _load(connection)[1]

    def qr(self, id: str) -> bytes | None:
        """The bytes of that challenge, while it is the newest."""
        with self._engine.connect() as connection:
            return connection.scalar(select(tables.challenges.c.qr).where(tables.challenges.c.id == id))

    @contextmanager
    def change(self) -> Iterator[Change]:
        """A block in which the instance is read and written with nobody in between."""
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield Change(connection)

    def close(self) -> None:
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)), pool_size=THREADS, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver would begin too late, and never IMMEDIATE
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _load(connection: Connection) -> tuple[int, Instance]:
    row = connection.execute(select(tables.instance)).one()
    slots = connection.execute(
        select(tables.slots).order_by(tables.slots.c.registered, tables.slots.c.name, tables.slots.c.node)
    ).all()
    return row.version, Instance(
        state=State(row.state),
        maximum=row.maximum,
        counter=row.counter,
        challenge=Challenge(id=row.challenge, created=row.challenge_created) if row.challenge else None,
        consumed=row.consumed,
        lock=Lock(wrong=row.wrong, total=row.total, until=row.locked_until),
        verified=row.verified,
        window_end=row.window_end,
        slots=tuple(_slot(slot) for slot in slots),
        alive=row.alive,
        clean=row.clean,
        stopped=row.stopped,
        started=row.started,
    )


def _slot(row: Any) -> Slot:
    return Slot(
        project=row.project,
        name=row.name,
        node=row.node,
        state=SlotState(row.state),
        registered=row.registered,
        last=row.last,
        reason=Failure(row.reason) if row.reason else None,
        healing=row.healing,
    )


def _slot_row(slot: Slot) -> dict[str, object]:
    return {**asdict(slot), "state": slot.state.value, "reason": slot.reason.value if slot.reason else None}


def _instance_row(instance: Instance) -> dict[str, object]:
    challenge, lock = instance.challenge, instance.lock
    return {
        "state": instance.state.value,
        "maximum": instance.maximum,
        "counter": instance.counter,
        "challenge": challenge.id if challenge else None,
        "challenge_created": challenge.created if challenge else None,
        "consumed": instance.consumed,
        "wrong": lock.wrong,
        "total": lock.total,
        "locked_until": lock.until,
        "verified": instance.verified,
        "window_end": instance.window_end,
        "alive": instance.alive,
        "clean": instance.clean,
        "stopped": instance.stopped,
        "started": instance.started,
    }
