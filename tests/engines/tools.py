"""The tools that save images to files: Docker, Podman, Buildah and Skopeo, each in the ways that it has."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.engines.daemons import Daemon, docker_daemon, podman_service
from tests.engines.hosts import Host, hosts
from wizard.licensing.protocol.claims import REPOSITORY

NAME = f"{REPOSITORY}:1.0.0"
ANOTHER = "another/name:2"
NEEDS_TOOLS = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("skopeo", "buildah")), reason="needs skopeo and buildah"
)


@dataclass(frozen=True, kw_only=True)
class Save:
    """A command that saves the image: words for the tool, and what its archive gets as verdict (`ok` is none)."""

    words: Sequence[str]
    code: str = "ok"
    keeps_id: bool = True
    """Whether an image of Docker's kind keeps its configuration byte for byte; in an OCI archive it is written anew."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool on a host of its own, which has the image."""

    host: Host
    program: Sequence[str]
    source: Path
    image_id: str = ""

    def save(self, save: Save, target: Path) -> None:
        words = (it.format(source=self.source, target=target, id=self.image_id) for it in save.words)
        self.host.run(*self.program, *words)


def _save(*words: str, code: str = "ok") -> Save:
    return Save(words=words, code=code)


def _converted(*words: str, code: str = "ok") -> Save:
    return Save(words=words, code=code, keeps_id=False)


DOCKER: Mapping[str, Save] = {
    "save": _save("save", "--output", "{target}", NAME),
    "save by id": _save("save", "--output", "{target}", "{id}", code="no-name"),
    "save of two names": _save("save", "--output", "{target}", NAME, ANOTHER, code="two-names"),
}
_PODMAN = ("save", "--quiet", "--output", "{target}")
_OCI = ("--format", "oci-archive")
PODMAN: Mapping[str, Save] = {
    "save": _save(*_PODMAN, NAME),
    "save for several images": _save(*_PODMAN, "--multi-image-archive", NAME),
    "save as oci-archive": _converted(*_PODMAN, *_OCI, NAME),
    "save as oci-archive, plain": _converted(*_PODMAN, *_OCI, "--uncompressed", NAME),
    "save by id": _save(*_PODMAN, "{id}", code="no-name"),
    "save by id as oci-archive": _converted(*_PODMAN, *_OCI, "{id}", code="no-name"),
    "save of two names": _save(*_PODMAN, NAME, ANOTHER, code="two-names"),
    "push to docker-archive": _save("push", NAME, f"docker-archive:{{target}}:localhost/{NAME}"),
    "push to docker-archive by another name": _save(
        "push", NAME, f"docker-archive:{{target}}:{NAME}", code="two-names"
    ),
    "push to oci-archive": _converted("push", NAME, f"oci-archive:{{target}}:{NAME}"),
    "push to oci-archive, zstd": _converted(
        "push", "--compression-format=zstd", NAME, f"oci-archive:{{target}}:{NAME}"
    ),
    "push to oci-archive, zstd:chunked": _converted(
        "push", "--compression-format=zstd:chunked", NAME, f"oci-archive:{{target}}:{NAME}"
    ),
}
BUILDAH: Mapping[str, Save] = {
    "push to docker-archive": _save("push", "{id}", f"docker-archive:{{target}}:{NAME}"),
    "push to oci-archive": _converted("push", "{id}", f"oci-archive:{{target}}:{NAME}"),
    "push to oci-archive, zstd": _converted(
        "push", "--compression-format=zstd", "{id}", f"oci-archive:{{target}}:{NAME}"
    ),
    "push to oci-archive, v2s2": _save("push", "--format=v2s2", "{id}", f"oci-archive:{{target}}:{NAME}"),
    "push to oci-archive without a name": _converted("push", "{id}", "oci-archive:{target}", code="no-name"),
}
_FROM = "docker-archive:{source}"
SKOPEO: Mapping[str, Save] = {
    "copy to docker-archive": _save(_FROM, f"docker-archive:{{target}}:{NAME}"),
    "copy to docker-archive without a name": _save(_FROM, "docker-archive:{target}", code="no-name"),
    "copy to oci-archive": _converted(_FROM, f"oci-archive:{{target}}:{NAME}"),
    "copy to oci-archive, plain": _converted("--dest-decompress", _FROM, f"oci-archive:{{target}}:{NAME}"),
    "copy to oci-archive, zstd": _converted("--dest-compress-format=zstd", _FROM, f"oci-archive:{{target}}:{NAME}"),
    "copy to oci-archive with a tag alone": _converted(_FROM, "oci-archive:{target}:1.0.0", code="no-name"),
}


@contextmanager
def docker_with(source: Path) -> Iterator[Tool]:
    with hosts(1) as (host,), docker_daemon(host) as daemon:
        yield Tool(host=host, program=("docker", "--host", daemon.url), source=source, image_id=_given(daemon, source))


@contextmanager
def podman_with(source: Path) -> Iterator[Tool]:
    with hosts(1) as (host,), podman_service(host) as daemon:
        image_id = _given(daemon, source)
        settings = f"CONTAINERS_CONF={host.folder}/containers.conf"
        roots = ("--root", f"{host.folder}/data", "--runroot", "/run/containers/storage")
        yield Tool(host=host, program=(*_env(host, settings), "podman", *roots), source=source, image_id=image_id)


@contextmanager
def buildah_with(source: Path) -> Iterator[Tool]:
    with hosts(1) as (host,):
        _make_room(host)
        roots = ("--root", f"{host.folder}/data", "--runroot", "/run/buildah", "--storage-driver", "vfs")
        program = (*_env(host), "buildah", *roots)
        image_id = host.run(*program, "pull", "--quiet", f"docker-archive:{source}").split()[-1]
        yield Tool(host=host, program=program, source=source, image_id=image_id)


@contextmanager
def skopeo_with(source: Path) -> Iterator[Tool]:
    with hosts(1) as (host,):
        _make_room(host)
        yield Tool(host=host, program=(*_env(host), "skopeo", "--insecure-policy", "copy", "--quiet"), source=source)


def _given(daemon: Daemon, source: Path) -> str:
    """The id of the image, once the engine has it under two names."""
    with daemon.client() as engine, source.open("rb") as file:
        assert not [line for line in engine.load_image(file) or () if "error" in line]
        [found] = engine.images()
        engine.tag(found["Id"], repository=ANOTHER.partition(":")[0], tag=ANOTHER.partition(":")[2])
    return str(found["Id"]).removeprefix("sha256:")


def _make_room(host: Host) -> None:
    (host.folder / "data").mkdir()
    host.run("mount", "-t", "tmpfs", "-o", "size=3g", "tmpfs", f"{host.folder}/data")


def _env(host: Host, *more: str) -> Sequence[str]:
    return ("env", "--ignore-environment", f"PATH={os.environ['PATH']}", f"TMPDIR={host.folder}/data", *more)


TOOLS: Mapping[str, tuple[Callable[[Path], AbstractContextManager[Tool]], Mapping[str, Save]]] = {
    "docker": (docker_with, DOCKER),
    "podman": (podman_with, PODMAN),
    "buildah": (buildah_with, BUILDAH),
    "skopeo": (skopeo_with, SKOPEO),
}
