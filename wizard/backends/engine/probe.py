"""A container of one tiny program, for a moment: it tells how much disk is free, and holds a port to prove it free.

It is never among what the wizard has deployed: its label is another one. Nothing of it stays but what a wizard that
is killed meanwhile leaves, which `sweep` takes away.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from docker import APIClient
from docker.errors import APIError, DockerException
from requests import RequestException
from urllib3.exceptions import HTTPError

from wizard.backends.engine import holders, program, reading, refusals

LABEL = "com.fineops.license.probe"
"""Its value begins with the second in which the probe was made, by the wizard's clock."""
SECONDS = 5
"""For each request. All of them take a third of one; what takes so long is not worth waiting for."""
SECONDS_TO_LIVE = 60
"""A probe that is older than this was left behind."""
MEMORY = 32 << 20
FAULTS = (DockerException, RequestException, HTTPError)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a probe found. The engine's words are `busy` when the port is taken, `words` when nothing could be tried."""

    free: int | None = None
    """Bytes, of the engine's disk, rounded down to pieces of 64 MiB; at most 7.75 GiB are told."""
    busy: str = ""
    words: str = ""


def probe(engine: APIClient, port: int | None, now: datetime) -> Finding:
    """Try it with that port, or without any. Never raises for what the engine does wrong: that is a finding, too."""
    token = f"{int(now.timestamp())}-{secrets.token_hex(4)}"
    with _patient_for(engine, SECONDS):
        try:
            with _image(engine, token) as image, _container(engine, body(image, token, port), token) as name:
                engine.start(name)
                return _read(int(engine.wait(name)["StatusCode"]))
        except APIError as error:
            return _trouble(str(error.explanation or error))
        except FAULTS as error:
            return _trouble(str(error))


def sweep(engine: APIClient, now: datetime) -> None:
    """Take away what a wizard that was killed has left: containers first, for an image that is in use stays."""
    ours = {"label": LABEL}
    for container in _old(engine.containers(all=True, filters=ours), now):
        with suppress(*FAULTS):
            engine.remove_container(container["Id"], force=True)
    for image in _old(engine.images(filters=ours), now):
        with suppress(*FAULTS):
            engine.remove_image(image["Id"], force=True)


def is_probe(listed: Mapping[str, Any]) -> bool:
    """Whether a container that an engine lists is one, somebody's."""
    return LABEL in (listed["Labels"] or {})


def body(image: str, token: str, port: int | None) -> dict[str, Any]:
    """Of `POST /containers/create`: no rights, nothing to write to, and no network, unless it is to hold a port."""
    exposed = f"{port}/tcp"
    network = (
        {"NetworkMode": "none"}
        if port is None
        else {"PortBindings": {exposed: [{"HostIp": "", "HostPort": str(port)}]}}
    )
    return {
        "Image": image,
        "Labels": {LABEL: token},
        "ExposedPorts": {} if port is None else {exposed: {}},
        "HostConfig": {
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PidsLimit": 32,
            "Memory": MEMORY,
            "MemorySwap": MEMORY,
            **network,
        },
    }


def _read(status: int) -> Finding:
    if status > program.MOST:
        return Finding(words=f"exit status {status}")
    return Finding(free=status * program.PIECE)


def _trouble(words: str) -> Finding:
    if holders.is_busy(words):
        return Finding(busy=words)
    if refusals.is_full(words):
        return Finding(free=0)
    return Finding(words=words)


@contextmanager
def _image(engine: APIClient, token: str) -> Iterator[str]:
    archive, image = program.archive(f"fineops-license-probe:{token}", LABEL, token)
    try:
        if words := reading.error_of(engine.load_image(archive)):
            raise DockerException(words)
        yield image
    finally:
        with suppress(*FAULTS):
            engine.remove_image(image, force=True)


@contextmanager
def _container(engine: APIClient, body: Mapping[str, Any], token: str) -> Iterator[str]:
    name = f"fineops-license-probe-{token}"
    try:
        engine.create_container_from_config(dict(body), name)
        yield name
    finally:
        with suppress(*FAULTS):
            engine.remove_container(name, force=True)


@contextmanager
def _patient_for(engine: APIClient, seconds: int) -> Iterator[None]:
    before = engine.timeout
    engine.timeout = seconds
    try:
        yield
    finally:
        engine.timeout = before


def _old(listed: Sequence[Mapping[str, Any]], now: datetime) -> Sequence[Mapping[str, Any]]:
    return [it for it in listed if _age((it["Labels"] or {}).get(LABEL, ""), now) > SECONDS_TO_LIVE]


def _age(token: str, now: datetime) -> float:
    """In seconds; of what is not named as ours are, it is 0."""
    made, _, _ = token.partition("-")
    return now.timestamp() - int(made) if made.isdecimal() else 0.0
