"""People who guess at the same moment: each is a process, with an address of its own."""

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier

from tests.licensing.server.process import Answer, Caller, Door
from wizard.licensing.protocol import api

GUESSERS = 16
"""As many as the authorization application has threads: each of them is waiting for one when they begin."""
PATIENCE_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class Guesses:
    """What one of them enters for a challenge, one after the other. `headers` show a token, perhaps."""

    challenge: str
    codes: Sequence[str]
    headers: dict[str, str] = field(default_factory=dict)


class Guessers:
    """All of them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def at_once(self, door: Door, guesses: Sequence[Guesses]) -> list[list[str]]:
        """One list for each of them: what became of each code, or why it was not taken."""
        assert len(guesses) == GUESSERS
        parts = [(door, f"127.0.1.{number}", part) for number, part in enumerate(guesses, start=1)]
        return self._pool.starmap(_guess, parts, chunksize=1)


@contextmanager
def guessers() -> Iterator[Guessers]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(GUESSERS, initializer=_stand_at, initargs=(context.Barrier(GUESSERS),)) as pool:
        yield Guessers(pool)


_lines: list[Barrier] = []
"""In a process of theirs: where all wait for each other."""


def _stand_at(line: Barrier) -> None:
    _lines.append(line)


def _guess(door: Door, source: str, guesses: Guesses) -> list[str]:
    documents = [{"challenge": guesses.challenge, "code": code} for code in guesses.codes]
    with Caller(door, source, guesses.headers) as caller:
        caller.connect()
        _lines[0].wait(PATIENCE_SECONDS)
        return [_judgement(caller.post(api.CODES, document)) for document in documents]


def _judgement(answer: Answer) -> str:
    status, document = answer
    assert status < 500, answer
    return str(document["judgement"] if "judgement" in document else document["error"]["code"])
