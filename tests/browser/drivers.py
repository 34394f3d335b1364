"""Firefox and WebKitGTK, as WebDriver drives them (W3C WebDriver 2): the one over Marionette, the other over HTTP."""

import json
import os
import shutil
import socket
import subprocess
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import requests

from tests.instance import free_ports
from tests.waiting import until

ADDRESS = "127.0.0.1"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""By which an element is named in JSON (WebDriver, 12.1)."""
SLOW = 60.0
"""Seconds for what starts processes."""
FIND = """
const [selector, text] = arguments;
const isMeant = (it) => it.textContent.includes(text) && it.getClientRects().length;
return [...document.querySelectorAll(selector)].find(isMeant);
"""
MINI_BROWSER = "/usr/lib/*/webkit2gtk-*/MiniBrowser"
PREFERENCES: Mapping[str, object] = {
    "marionette.port": 0,
    "network.proxy.type": 0,
    "browser.shell.checkDefaultBrowser": False,
}


@dataclass(frozen=True)
class Command:
    """What a browser is told: its name with Marionette, its method and address with HTTP."""

    name: str
    path: str
    method: str = "POST"


GO = Command("WebDriver:Navigate", "/url")
RUN = Command("WebDriver:ExecuteScript", "/execute/sync")
CLICK = Command("WebDriver:ElementClick", "/element/{id}/click")
CLEAR = Command("WebDriver:ElementClear", "/element/{id}/clear")
TYPE = Command("WebDriver:ElementSendKeys", "/element/{id}/value")
PICTURE = Command("WebDriver:TakeScreenshot", "/screenshot", "GET")
TAB = Command("WebDriver:NewWindow", "/window/new")
WINDOW = Command("WebDriver:GetWindowHandle", "/window", "GET")
SWITCH = Command("WebDriver:SwitchToWindow", "/window")


class DriverError(Exception):
    """The browser refused a command. The message is its own."""


class Wire(Protocol):
    """How commands reach a browser."""

    def send(self, command: Command, **params: object) -> Any: ...


class Marionette:
    """Firefox's own: messages of JSON, each with its length before it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((ADDRESS, port), timeout=SLOW)
        self._file = self._socket.makefile("rb")
        self._sent = 0
        self._read()  # it says who it is
        self.send(Command("WebDriver:NewSession", ""))

    def send(self, command: Command, **params: object) -> Any:
        self._sent += 1
        message = json.dumps([0, self._sent, command.name, params]).encode()
        self._socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self._read()
        if error:
            raise DriverError(f"{error['error']}: {error['message']}")
        return result.get("value", result) if isinstance(result, dict) else result

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _read(self) -> Any:
        length = b""
        while (digit := self._file.read(1)) != b":":
            if not digit:
                raise DriverError("The browser hung up.")
            length += digit
        return json.loads(self._file.read(int(length)))


class Http:
    """What WebDriver itself has standardised."""

    def __init__(self, url: str, capabilities: Mapping[str, object]) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._url = f"{url}/session"
        wanted = {"alwaysMatch": capabilities}
        self._url += "/" + self.send(Command("", ""), capabilities=wanted)["sessionId"]

    def send(self, command: Command, **params: object) -> Any:
        body = {} if command.method == "GET" else {"json": params}
        url = self._url + command.path.format(**params)
        answer = self._session.request(command.method, url, timeout=SLOW, **body)  # type: ignore[arg-type]
        value = answer.json()["value"]
        if not answer.ok:
            raise DriverError(f"{value['error']}: {value['message']}")
        return value

    def close(self) -> None:
        self.send(Command("", "", "DELETE"))
        self._session.close()


@dataclass(frozen=True)
class Driver:
    """A browser under way: what a person does in it."""

    wire: Wire

    def open(self, url: str) -> None:
        self.wire.send(GO, url=url)

    def run(self, script: str, *args: object) -> Any:
        """What the script returns."""
        return self.wire.send(RUN, script=script, args=args)

    def see(self, selector: str, text: str = "", patience: float = SLOW) -> str:
        """The first visible element of that selector with that text, waited for."""

        def look() -> Mapping[str, str] | None:
            with suppress(DriverError):  # between two pages
                found: Mapping[str, str] | None = self.run(FIND, selector, text)
                return found
            return None

        return until(look, f"{selector} says {text!r}", patience)[ELEMENT]

    def press(self, text: str, selector: str = "button, a.button") -> None:
        self._with(selector, text, lambda element: self.wire.send(CLICK, id=element))

    def fill(self, selector: str, text: str) -> None:
        self._with(selector, "", lambda element: self.wire.send(CLEAR, id=element))
        self.choose(selector, text)

    def choose(self, selector: str, text: str) -> None:
        """Type it there; into a field for files, the path of one."""
        self._with(selector, "", lambda element: self.wire.send(TYPE, id=element, text=text))

    def picture(self, selector: str) -> bytes:
        """What is on the screen when that part of the page is, as PNG. (WebKitGTK cuts pictures of a part.)"""
        self.see(selector)
        self.run("document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })", selector)
        return b64decode(self.wire.send(PICTURE, full=False))

    @contextmanager
    def tab(self) -> Iterator[None]:
        """Within the block, another one is in front."""
        before = self.wire.send(WINDOW)
        self._show(self.wire.send(TAB, type="tab")["handle"])
        try:
            yield
        finally:
            self._show(before)

    def _show(self, handle: str) -> None:
        self.wire.send(SWITCH, handle=handle)

    def _with(self, selector: str, text: str, act: Callable[[str], object]) -> None:
        """Do it with the element; again, when a swap takes the element away in the meantime."""

        def tried() -> bool:
            try:
                act(self.see(selector, text))
            except DriverError as error:
                if "stale element" not in str(error):
                    raise
                return False
            return True

        until(tried, f"{selector} {text!r} can be used")


@contextmanager
def firefox(folder: Path) -> Iterator[Driver]:
    """Debian's Firefox ESR, with a profile in that folder."""
    lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in PREFERENCES.items())
    (folder / "user.js").write_text("".join(lines))
    command = ["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    told = folder / "MarionetteActivePort"
    with _running(command, folder):
        until(lambda: told.is_file() and told.read_text(), "Firefox answers", SLOW)
        wire = Marionette(int(told.read_text()))
        try:
            yield Driver(wire)
        finally:
            wire.close()


@contextmanager
def webkit(folder: Path) -> Iterator[Driver]:
    """Debian's WebKitGTK in its smallest browser, on a screen that nobody sees."""
    [browser] = Path("/").glob(MINI_BROWSER.lstrip("/"))
    port = free_ports(1)
    url = f"http://{ADDRESS}:{port}"
    with _screen(folder) as display, _running(["WebKitWebDriver", f"--port={port}"], folder, DISPLAY=display):
        until(lambda: _answers(port), "WebKitWebDriver answers", SLOW)
        wire = Http(url, {"webkitgtk:browserOptions": {"binary": str(browser), "args": ["--automation"]}})
        try:
            yield Driver(wire)
        finally:
            wire.close()


BROWSERS: Mapping[str, Callable[[Path], Any]] = {"Firefox": firefox, "WebKitGTK": webkit}
NEEDED: Mapping[str, Sequence[str]] = {"Firefox": ("firefox-esr",), "WebKitGTK": ("WebKitWebDriver", "Xvfb")}
"""The commands that each needs."""


def lacking(browser: str) -> Sequence[str]:
    return [command for command in NEEDED[browser] if shutil.which(command) is None]


@contextmanager
def _screen(folder: Path) -> Iterator[str]:
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    with _running(command, folder, pass_fds=(writing,)), os.fdopen(reading) as told:
        os.close(writing)  # else nobody would be told that it has ended
        yield f":{told.readline().strip()}"


@contextmanager
def _running(command: Sequence[str], home: Path, pass_fds: Sequence[int] = (), **settings: str) -> Iterator[None]:
    """It knows nothing of the person whose machine this is, nor of their proxies."""
    own = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LANG": "C.UTF-8"}
    environment = own | settings
    with (
        (home / f"{command[0]}.log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, pass_fds=pass_fds) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection((ADDRESS, port)):
        return True
    return False
