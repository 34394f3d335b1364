"""Web processes of the product, as it starts them, on one folder of data; and people who use them as programs do."""

import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import psutil
import requests
from bs4 import BeautifulSoup
from werkzeug.security import generate_password_hash

from tests.archive.build import VENDOR_KEYS
from tests.instance import ROOT, free_ports
from tests.waiting import until
from wizard.domain.account import Account
from wizard.domain.image import Image
from wizard.launch import gunicorn_command
from wizard.licensing.protocol.claims import dump_vendor_keys
from wizard.store.accounts import SqlAccounts
from wizard.store.sql import SqlStore

CONTENT = "application/offset+octet-stream"
PASSWORD = "a long password"
QUICKLY = "scrypt:1024:8:1"
"""Far weaker than what the product makes, and checked in no time."""
ADDRESS = "127.0.0.1"


class Replica:
    """One web process: gunicorn's master and its worker."""

    def __init__(self, environment: Mapping[str, str], port: int, prefix: Sequence[str]) -> None:
        self._environment, self._prefix = environment, prefix
        self.port = port
        self.url = f"http://{ADDRESS}:{port}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [*self._prefix, *gunicorn_command("wsgi:app", ADDRESS, self.port)],
            cwd=ROOT,
            env=self._environment,
        )

    def wait(self) -> None:
        try:
            until(self.answers, "the web process answers")
        except TimeoutError:
            self.kill()
            raise

    def answers(self) -> bool:
        with suppress(requests.RequestException):  # not yet, or no longer
            return requests.get(f"{self.url}/healthz", timeout=1).ok
        return False

    @property
    def worker(self) -> psutil.Process:
        [worker] = until(psutil.Process(self.process.pid).children, "there is a worker")
        return worker

    def kill_the_worker(self) -> None:
        """kill -9. The master starts another."""
        self.worker.kill()

    def kill(self) -> None:
        """kill -9 of all of it."""
        master = psutil.Process(self.process.pid)
        victims = [master, *master.children(recursive=True)]
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.kill()
        self.process.wait()
        until(lambda: all(is_dead(victim) for victim in victims), "all of it has ended")


def is_dead(process: psutil.Process) -> bool:
    """Though nobody may have buried it yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Site:
    """Replicas of the web process, on one folder of data, the store beside it. `prefix` comes before their commands."""

    def __init__(self, data: Path, prefix: Sequence[str] = ()) -> None:
        self._data, self._prefix = data, prefix
        keys = data.with_name(f"{data.name}.pub")
        keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
        self._database = f"sqlite:///{data.with_name(f'{data.name}.db')}"
        settings = {"WIZARD_DATA": data, "WIZARD_VENDOR_KEYS": keys, "WIZARD_DATABASE": self._database}
        self._environment = os.environ | {name: str(value) for name, value in settings.items()}
        self.replicas: list[Replica] = []

    @property
    def data(self) -> Path:
        """As the first replica sees it, which may have a file system of its own."""
        return Path("/proc", str(self.replicas[0].process.pid), "root", *self._data.parts[1:])

    def begin(self, replicas: int = 1) -> None:
        first = free_ports(replicas)
        for port in range(first, first + replicas):
            self.replicas.append(Replica(self._environment, port, self._prefix))
        for replica in self.replicas:
            replica.wait()

    def admin(self, name: str = "admin") -> "Admin":
        """Somebody with an account of that name, signed in at the first replica."""
        accounts = SqlAccounts(self._database)
        if accounts.account(name) is None:
            hashed = generate_password_hash(PASSWORD, QUICKLY)
            accounts.add_account(Account(name=name, password_hash=hashed, created_at=datetime.now(UTC)))
        return Admin(self.replicas[0].url, name)

    def image(self, registration: str) -> Image:
        image = SqlStore(self._database).registration(registration).image
        assert image is not None
        return image

    def end(self) -> None:
        for replica in self.replicas:
            replica.kill()


@dataclass(frozen=True)
class Verdict:
    """What the step has said to an upload; the registration that has its image now."""

    status: int
    text: str
    registration: str


class Admin:
    """Signed in, and able to speak tus by hand."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        fields = {"csrf_token": self._token("/sign-in"), "name": name, "password": PASSWORD}
        self.session.post(f"{url}/sign-in", data=fields, timeout=30).raise_for_status()
        self.token = self._token("/")
        self.session.headers.update({"X-CSRFToken": self.token, "Tus-Resumable": "1.0.0"})

    @property
    def headers(self) -> dict[str, str]:
        """What a client has to send with each request."""
        cookies = "; ".join(f"{it.name}={it.value}" for it in self.session.cookies)
        return {"X-CSRFToken": self.token, "Cookie": cookies}

    def create(self, length: int) -> str:
        answer = self.session.post(f"{self.url}/uploads/", headers={"Upload-Length": str(length)}, timeout=30)
        assert answer.status_code == 201, answer.text
        return urljoin(self.url, answer.headers["Location"])

    def head(self, upload: str) -> requests.Response:
        return self.session.head(upload, timeout=30)

    def offset(self, upload: str) -> int:
        return int(self.head(upload).headers["Upload-Offset"])

    def patch(self, upload: str, offset: int, data: bytes) -> requests.Response:
        headers = {"Upload-Offset": str(offset), "Content-Type": CONTENT}
        return self.session.patch(upload, data=data, headers=headers, timeout=120)

    def begin_patch(self, upload: str, offset: int, length: int, *lines: str) -> socket.socket:
        """A connection with the head of a request for so many bytes, none of which was sent."""
        host, port = urlsplit(upload).hostname or "", urlsplit(upload).port or 80
        said = {**self.headers, "Host": host, "Tus-Resumable": "1.0.0", "Upload-Offset": str(offset)}
        said |= {"Content-Type": CONTENT, "Content-Length": str(length)}
        said = {name: value for name, value in said.items() if not (lines and name == "Content-Length")}
        head = [f"PATCH {urlsplit(upload).path} HTTP/1.1"]
        head += [f"{name}: {value}" for name, value in said.items()]
        connection = socket.create_connection((host, port), timeout=60)
        connection.sendall("\r\n".join([*head, *lines, "", ""]).encode())
        return connection

    def submit(self, upload: str) -> Verdict:
        """Have a step take the image in it."""
        began = self.session.post(f"{self.url}/registrations", timeout=30)
        page = BeautifulSoup(began.text, "html.parser")
        version = page.select("[name=version]")[0]["value"]
        fields = {"version": str(version), "upload": upload.rpartition("/")[2]}
        answer = self.session.post(began.url, data=fields, timeout=120)
        return Verdict(answer.status_code, answer.text, began.url.split("/")[-2])

    def _token(self, path: str) -> str:
        page = BeautifulSoup(self.session.get(f"{self.url}{path}", timeout=30).text, "html.parser")
        return str(page.select("[name=csrf_token]")[0]["value"])
