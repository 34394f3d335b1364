"""The worlds of a kiosk: so many visitors at once, and one world more that is ready for the next."""

import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wizard.kiosk.bounds import Patience
from wizard.kiosk.processes import World, clear_all

log = logging.getLogger(__name__)

LOOK = 0.25
"""Seconds between two looks at the worlds."""


@dataclass
class Visit:
    """One visitor, in a world."""

    world: World
    begun_at: datetime
    touched_at: datetime


class Worlds:
    """Hands out worlds by tokens that nobody can guess, and takes them away again. Safe between threads.

    `make` begins a world in the slot of that number. Slots are what bounds the whole: each has a port, a folder, and
    one world at a time.
    """

    def __init__(
        self,
        folder: Path,
        make: Callable[[int], World],
        visitors: int,
        patience: Patience,
        clock: Callable[[], datetime],
    ) -> None:
        self._folder, self._make, self._patience, self._clock = folder, make, patience, clock
        self._visitors = visitors
        self._slots = set(range(visitors + 1))
        self._warm: list[World] = []
        self._warming: list[World] = []
        self._leaving: list[World] = []
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worlds", daemon=True)

    def open(self) -> None:
        """Clear what an earlier kiosk has left, and keep a world ready from now on."""
        clear_all(self._folder)
        self._thread.start()

    def close(self) -> None:
        """End all worlds; what is left of them goes."""
        self._stop.set()
        self._hurry.set()
        self._thread.join()

    def begin(self) -> str | None:
        """A token for a new visit, or None while there is no world to give."""
        with self._lock:
            if len(self._visits) >= self._visitors or not self._warm:
                return None
            now, token = self._clock(), secrets.token_urlsafe(24)
            self._visits[token] = Visit(world=self._warm.pop(), begun_at=now, touched_at=now)
        self._hurry.set()
        return token

    def is_full(self) -> bool:
        """Whether no visitor more is let in, however many worlds are ready."""
        with self._lock:
            return len(self._visits) >= self._visitors

    def find(self, token: str) -> World | None:
        """The world of that visit, until it is over."""
        with self._lock:
            visit = self._visits.get(token)
            return visit.world if visit is not None and not self._is_over(visit) else None

    def touch(self, token: str) -> bool:
        """A sign of life of the visitor; False when their visit is over."""
        with self._lock:
            visit = self._visits.get(token)
            if visit is None or self._is_over(visit):
                return False
            visit.touched_at = self._clock()
            return True

    def end(self, token: str) -> None:
        """The visit is over now; what belongs to it is removed at once, in the background."""
        with self._lock:
            visit = self._visits.pop(token, None)
            if visit is not None:
                self._leaving.append(visit.world)
        self._hurry.set()

    def _is_over(self, visit: Visit) -> bool:
        now, patience = self._clock(), self._patience
        still = patience.idle + patience.warning + patience.grace
        return now - visit.touched_at > still or now - visit.begun_at > patience.visit or visit.world.has_ended

    def _run(self) -> None:
        """In one thread: the worlds are its children, and end with it."""
        while not self._stop.is_set():
            try:
                self._tend()
            except OSError:
                log.exception("A world could not be made.")
            self._hurry.wait(LOOK)
            self._hurry.clear()
        with self._lock:
            self._leaving += [visit.world for visit in self._visits.values()] + self._warm + self._warming
            self._visits, self._warm, self._warming = {}, [], []
        self._remove()

    def _tend(self) -> None:
        for token in [token for token, visit in list(self._visits.items()) if self._is_over(visit)]:
            self.end(token)
        if not self._warm and not self._warming and self._slots:
            self._warming.append(self._make(self._slots.pop()))
        for world in list(self._warming):
            self._see(world)
        self._remove()

    def _see(self, world: World) -> None:
        """Whether a world that was begun is ready, or has ended instead."""
        if world.has_ended:
            log.error("A world ended before it was ready: %s", world.last_words())
        elif not world.is_ready():
            return
        with self._lock:
            self._warming.remove(world)
            (self._leaving if world.has_ended else self._warm).append(world)

    def _remove(self) -> None:
        while self._leaving:
            world = self._leaving[0]
            world.remove()
            with self._lock:
                self._leaving.remove(world)
                self._slots.add(world.slot)
