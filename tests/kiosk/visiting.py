"""Kiosks of one's own, and visitors who walk the whole journey in one, over HTTP."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil

from tests.instance import FLASK, ROOT, free_ports
from tests.visitor import RealBrowser, Stuck, Visitor
from tests.waiting import until

NODE = "demo-single/single-main"
SECONDS = 60
"""For what starts processes."""
STAGE, WIZARD, MACHINE = "/kiosk/visit/", "/registrations/visit", "/kiosk/visit/machine"


@dataclass(frozen=True)
class Kiosk:
    """A running kiosk. Its worlds have their ports after its own."""

    url: str
    data: Path
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def processes(self) -> list[psutil.Process]:
        """The kiosk's own, its worlds, and the authorization applications that those have started."""
        launcher = psutil.Process(self.process.pid)
        started = {it.pid: it for it in (launcher, *launcher.children(recursive=True))}
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if any(str(self.data) in word for word in process.cmdline()):
                    started[process.pid] = process
        return list(started.values())

    @property
    def worlds(self) -> list[Path]:
        """The folders of those that there are."""
        return sorted((self.data / "worlds").glob("*"))


@contextmanager
def running(**settings: str) -> Iterator[Kiosk]:
    """Start one as `make kiosk` does, and stop it afterwards."""
    with TemporaryDirectory(prefix="kiosk-") as folder:
        port = str(free_ports(6))
        environment = os.environ | {"WIZARD_DATA": folder, "PORT": port} | settings
        process = subprocess.Popen([*FLASK, "kiosk"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        try:
            printed = ""
            for line in process.stdout:
                printed += line
                if found := re.search(r"running at (http://\S+)", printed):
                    break
            assert found, printed
            yield Kiosk(found[1], Path(folder), process)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
            process.stdout.close()


class KioskVisitor(Visitor):
    """One who has started a visit, and looks at one place of the stage at a time."""

    def begin(self) -> "KioskVisitor":
        """Press Start, again while the next world is being made."""
        end = time.monotonic() + SECONDS
        while True:
            self.open("/").press("Start")
            if self.status == 200:
                return self
            if time.monotonic() > end:
                raise Stuck(f"there is no world: {self.text}")
            time.sleep(0.2)

    @property
    def cookies(self) -> str:
        return self._real.cookies

    def wear(self, cookies: str) -> None:
        """Come with the cookies of somebody else."""
        self._real.wear(cookies)

    @property
    def _real(self) -> RealBrowser:
        assert isinstance(self.browser, RealBrowser)
        return self.browser

    def leave(self) -> None:
        """Finish, and remove everything."""
        self._arrive(self.browser.post(f"{self.root}/end", {}))

    def to(self, step: str, seconds: float = SECONDS) -> "KioskVisitor":
        """Load the wizard again until it shows that step."""
        end = time.monotonic() + seconds
        while self.open(WIZARD).page.select_one(f"#step[data-step={step}]") is None:
            if time.monotonic() > end:
                raise Stuck(f"not at {step}: {self.text}")
            time.sleep(0.1)
        return self

    def take_the_sample(self) -> None:
        self.to("upload").press("Upload the sample image").press("Use this image")

    def deploy(self) -> None:
        self.to("node").press("Use this node", node=NODE)
        self.to("port").press("Check and use this port")
        self.to("deploy").press("Deploy to")
        self.to("scan")

    def show_the_qr(self) -> str:
        """The path of what the QR code leads to."""
        self.open(WIZARD).press("QR code")
        return str(self.one("a.tap")["href"])

    def ask_the_phone(self, path: str) -> str:
        """Tap the QR code, and issue the code: its six digits."""
        self.open(path).press("Issue the code")
        return str(self.one("#code")["data-code"])

    def enter(self, code: str) -> None:
        self.open(f"{WIZARD}/scan").press("Enter the six digits")
        self.open(f"{WIZARD}/code").press("Verify the code", code=code)

    def register(self) -> None:
        self.to("register").press("Register ")
        end = time.monotonic() + SECONDS
        while "is registered" not in self.open(f"{WIZARD}/register").heading:
            if time.monotonic() > end:
                raise Stuck(self.text)
            time.sleep(0.1)

    def verify(self) -> None:
        """Everything up to the accepted code."""
        self.take_the_sample()
        self.deploy()
        self.enter(self.ask_the_phone(self.show_the_qr()))

    def walk(self) -> None:
        """From the attract screen to the registered project."""
        self.begin()
        self.verify()
        self.register()

    def press_the_machine(self, act: str) -> None:
        """One button of the time machine."""
        form = self.open(MACHINE).one("form")
        token = str(form.select_one("input[name=csrf_token]")["value"])  # type: ignore[index]
        self._arrive(self.browser.post(f"{self.root}{MACHINE}/{act}", {"csrf_token": token}))

    def hear_of(self, rule: str, words: str) -> str:
        """The line of the time line that has these words, by that rule; it is waited for."""
        return until(
            lambda: next((said for by, said in self.happened() if by == rule and words in said), None),
            f"the time line says {words!r} by {rule}: {self.happened()}",
        )

    @property
    def root(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def happened(self) -> list[tuple[str, str]]:
        """The time line as the page tells it, the oldest first: each line's rule, and what it says."""
        lines = self.open(MACHINE).page.select(".happened li")
        told = [(str(line.get("data-rule", "")), line.get_text(" ", strip=True)) for line in lines]
        return told[::-1]

    def standing(self) -> tuple[str, str]:
        """The states of both sides, as the page tells them."""
        found = self.open(MACHINE).page.select(".standing [data-state]")
        return str(found[0]["data-state"]), str(found[1]["data-state"])
