"""What uploads are compared with: nginx, and the official tus server of Node.js. Both run in a folder of their own."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.sending import ADDRESS, Receiver
from tests.instance import ROOT
from tests.waiting import until

PACKAGES: Mapping[str, str] = {"nginx": "nginx", "node": "nodejs", "npm": "npm", "openssl": "openssl"}
"""Debian's, by the command that is needed of each."""
PLACES = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
"""Where commands are; nginx is not on the path of everybody."""
MODULES = ("@tus/server@2.4.5", "@tus/file-store@2.1.1")
"""npm's. They need Node.js 20.19 or later."""

NGINX = """
{user}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/arriving;
    proxy_temp_path {folder}/unused;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    server {{
        listen {address}:{port};
        location / {{ root {folder}/kept; dav_methods PUT DELETE; }}
    }}
}}
"""
NODE = """
import {{ Server }} from "@tus/server";
import {{ FileStore }} from "@tus/file-store";
const datastore = new FileStore({{ directory: "{folder}/kept" }});
new Server({{ path: "/files", datastore }}).listen({{ host: "{address}", port: {port} }});
"""


class Lacking(Exception):
    """The machine has not what is compared with. The message says what."""


@dataclass(frozen=True, kw_only=True)
class Rival:
    """One of them: where it listens, and where its files lie."""

    receiver: Receiver
    kept: Path


def install_packages() -> None:
    """What is not there yet, from Debian, where that can be done. Lacking when it cannot."""
    missing = _missing()
    if missing:
        subprocess.run([ROOT / ".ci" / "packages", *missing], check=True)
        missing = _missing()
    if missing:
        raise Lacking(f"these packages: {', '.join(missing)}")


def _missing() -> Sequence[str]:
    return [package for command, package in PACKAGES.items() if shutil.which(command, path=PLACES) is None]


def npm_install(folder: Path, *modules: str) -> None:
    """These modules, into that folder. Lacking when npm cannot."""
    command = ["npm", "install", "--engine-strict", "--no-audit", "--no-fund", "--loglevel=error", *modules]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Lacking("npm") from error
    if done.returncode:
        raise Lacking(f"{' and '.join(modules)}, which npm cannot install: {done.stderr}")


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[Rival]:
    """It takes files by PUT."""
    settings = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    settings.write_text(NGINX.format(user=user, folder=folder, address=ADDRESS, port=port))
    (folder / "kept").mkdir()
    command = [str(shutil.which("nginx", path=PLACES)), "-e", str(folder / "error.log"), "-c", str(settings)]
    with _running(command, folder, port) as rival:
        yield rival


@contextmanager
def node(folder: Path, port: int) -> Iterator[Rival]:
    """It takes files by tus, at /files."""
    npm_install(folder, *MODULES)
    program = folder / "server.mjs"
    program.write_text(NODE.format(folder=folder, address=ADDRESS, port=port))
    (folder / "kept").mkdir()
    with _running(["node", str(program)], folder, port) as rival:
        yield rival


@contextmanager
def _running(command: Sequence[str], folder: Path, port: int) -> Iterator[Rival]:
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            until(lambda: _answers(port) or process.poll() is not None, f"{command[0]} answers")
            if process.poll() is not None:
                raise Lacking(f"{command[0]} that runs: {(folder / 'log').read_text()}")
            yield Rival(receiver=Receiver(port=port), kept=folder / "kept")
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((ADDRESS, port)):
        return True
    return False
