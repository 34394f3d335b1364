"""What `flask nodes check` says of each node: whether it can run a container, and what will go wrong with it soon."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from wizard.domain.engine import Engine
from wizard.domain.instance import Health
from wizard.domain.project import Node
from wizard.jobs.crew import Crew

AT_ONCE = 64
SECONDS = 40.0
"""For all nodes. One that is off has an answer after ten seconds; this is for what nobody has thought of."""
DAYS_TO_RENEW = 30


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Lines for a terminal about one node."""

    well: bool
    lines: tuple[str, ...]


def check(
    nodes: Sequence[Node],
    engines: Mapping[str, Engine],
    health: Callable[[Node], Health],
    now: datetime,
    seconds: float = SECONDS,
) -> Iterator[Finding]:
    """All are asked side by side; each is told as soon as it and those before it have answered."""
    deadline = time.monotonic() + seconds
    crew = Crew("asker", min(len(nodes), AT_ONCE))
    answers: list[Future[Health]] = [Future() for _ in nodes]
    for node, answer in zip(nodes, answers, strict=True):
        crew(partial(_ask, node, health, answer))
    for node, answer in zip(nodes, answers, strict=True):
        well, words = _heard(answer, deadline, seconds)
        head = f"{node.slug:24} {node.address:16} {'ok' if well else 'FAIL':5} {words}"
        yield Finding(well=well, lines=(head, *_details(engines.get(node.slug), now, well=well)))


def _ask(node: Node, health: Callable[[Node], Health], answer: Future[Health]) -> None:
    """What an engine does wrong is part of its health; whatever else is raised is logged by the crew."""
    try:
        answer.set_result(health(node))
    finally:
        answer.cancel()


def _heard(answer: Future[Health], deadline: float, seconds: float) -> tuple[bool, str]:
    try:
        health = answer.result(max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        return False, f"Nothing was heard within {seconds:g} s."
    except CancelledError:
        return False, "The wizard itself failed; see above."
    return health.well, str(health.detail)


def _details(engine: Engine | None, now: datetime, *, well: bool) -> Iterator[str]:
    """The keys of the inventory by which it is reached, and what is to be said of each."""
    if engine is None:
        return
    yield f"    engine = {engine.url}"
    if engine.tls is not None:
        yield f"    tls = {engine.tls}"
        yield from (f"        {words}" for words in _of_certificates(engine.tls, now))
    if engine.ssh is not None:
        yield f"    ssh = {engine.ssh}"
        yield from (f"        {words}" for words in _of_key(engine.ssh / "key"))
    if not well:
        named = {"engine": engine.url, "tls": engine.tls, "ssh": engine.ssh}
        keys = ", ".join(key for key, value in named.items() if value)
        yield f"    Look at the node, and in the inventory at: {keys}."


def _of_certificates(folder: Path, now: datetime) -> Iterator[str]:
    for name in ("ca.pem", "cert.pem"):
        try:
            certificates = x509.load_pem_x509_certificates((folder / name).read_bytes())
        except (OSError, ValueError) as error:
            yield f"{name}: FAIL it holds no certificate ({error})"
            continue
        yield _validity(name, min(it.not_valid_after_utc for it in certificates), now)
    yield from _of_key(folder / "key.pem")
    yield from _of_pair(folder)


def _validity(name: str, end: datetime, now: datetime) -> str:
    days = (end - now).days
    if end <= now:
        return f"{name}: FAIL expired on {end:%Y-%m-%d}"
    return f"{name}: {'WARN ' if days < DAYS_TO_RENEW else ''}{days} days left, until {end:%Y-%m-%d}"


def _of_key(path: Path) -> Iterator[str]:
    """ssh itself refuses a key that others can read."""
    if path.stat().st_mode & 0o077:
        yield f"{path.name}: WARN others than its owner can read it"


def _of_pair(folder: Path) -> Iterator[str]:
    try:
        certificate = x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes())
        key = load_pem_private_key((folder / "key.pem").read_bytes(), None)
    except (OSError, TypeError, ValueError) as error:
        yield f"key.pem: FAIL it cannot be used with cert.pem ({error})"
        return
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != certificate.public_key().public_bytes(*form):
        yield "key.pem: FAIL it does not belong to cert.pem"
