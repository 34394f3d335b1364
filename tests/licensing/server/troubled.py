"""An authorization application in trouble, and what its clients ask of it: for the tests of all that it can answer."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from tests.licensing.issuing import LICENCE
from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Body, Deauthorize, Register, seal_message
from wizard.licensing.rules.limits import DAY, HOUR, MINUTE, SECOND, Millis
from wizard.licensing.rules.timeline import ClockBehind
from wizard.licensing.server.operations import Operation
from wizard.licensing.server.store import DATABASE


class Troubled(Bench):
    """A bench with the troubles that a host can have. They are real, but for the clock, which is the bench's own."""

    behind = False

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, registrations=2)
        self.member = Member(self)

    @property
    def now(self) -> Millis:
        if self.behind:
            raise ClockBehind(3 * HOUR, 50 * MINUTE)
        return self._now

    @now.setter
    def now(self, moment: Millis) -> None:
        self._now = moment

    def pass_by(self, span: Millis) -> None:
        """So much time goes by, whatever the clock shows."""
        self._now += span

    def lose_the_disk(self) -> None:
        """The volume is there no more: SQLite cannot open its file."""
        self.kill()
        (self.config / DATABASE).unlink()
        (self.config / DATABASE).mkdir()

    def damage(self) -> None:
        """Somebody has changed a row."""
        with closing(sqlite3.connect(self.config / DATABASE)) as database, database:
            database.execute("UPDATE instance SET version = version + 1")

    def headers(self) -> dict[str, str]:
        """Of the admin."""
        return {"Authorization": f"Bearer {self.authorization.identity.token}"}


def sealed(body: Body, member: Member) -> dict[str, Any]:
    return seal_message(body, member.private)


def right_document(bench: Troubled, operation: Operation) -> dict[str, Any]:
    """A right one for that operation."""
    member = bench.member
    member.sequence += 1
    member.last = member.last or "00" * 32
    nonce = f"{member.sequence:032x}"
    made: Mapping[str, Callable[[], dict[str, Any]]] = {
        "createChallenge": dict,
        "enterCode": lambda: {"challenge": "0011223344556677", "code": "123456"},
        "register": lambda: sealed(
            Register(project="Sales", nodes=member.nodes, sequence=member.sequence, nonce=nonce), member
        ),
        "beat": member.beat_message,
        "deauthorize": lambda: sealed(Deauthorize(sequence=member.sequence, nonce=nonce), member),
        "retire": lambda: {"licence": LICENCE},
        "pageSubmit": lambda: {"action": "refresh"},
    }
    return made[operation.name]()


def ask(bench: Troubled, operation: Operation, **changes: Any) -> TestResponse:
    """The answer to a right request, or to one with these changes (`json`, `data`, `content_type`, `headers`)."""
    given: dict[str, Any] = {"headers": bench.headers() if operation.name == "retire" else {}}
    if operation.takes and not {"json", "data"} & set(changes):
        key = "data" if operation.path == api.PAGE else "json"
        given[key] = right_document(bench, operation)
    return bench.client.open(operation.path, method=operation.method.upper(), **given | changes)


def restart(bench: Troubled, down: int) -> None:
    bench.verify()
    bench.member.register()
    bench.restart(down=down)


def fill(bench: Troubled) -> None:
    bench.verify()
    Member(bench, "a", "b", name="Another").register()


def fall_behind(bench: Troubled) -> None:
    bench.behind = True


WORLDS: Mapping[str, Callable[[Troubled], object]] = {
    "new": lambda bench: None,
    "open": Troubled.challenge,
    "locked": Troubled.lock,
    "verified": Troubled.verify,
    "full": fill,
    "window": lambda bench: restart(bench, SECOND),
    "reauthenticate": lambda bench: restart(bench, DAY + 1),
    "retired": lambda bench: bench.authorization.retire(bench.now),
    "behind": fall_behind,
    "damaged": Troubled.damage,
    "lost": Troubled.lose_the_disk,
}
"""The instance in each of its states, and in each trouble."""
