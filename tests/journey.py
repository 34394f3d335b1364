"""The whole job over HTTP, as a person without scripts does it; prints each step (`make journey`).

With URL= it is done against the instance that runs there, whose data folder (WIZARD_DATA) must be at hand for a sign-in
link; without, against an instance of its own, on the engine that BACKEND= names (embedded, docker, podman, swarm).
NODE= names the project and its node, as project/node.
"""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from tests import figures
from tests.engines.building import built_base
from tests.engines.premises import ENGINES
from tests.instance import FLASK, ROOT, running
from tests.visitor import Visitor
from wizard.licensing.vendor.base import use_built

NODE = os.environ.get("NODE", "demo-cluster/cluster-component")
SECONDS = 60


def journey(link: str, say: Callable[[str], None] = print, node: str = NODE) -> Visitor:
    """From the sign-in link to the first request; returns the visitor at the last page."""
    visitor = sign_in(Visitor(), link)
    with TemporaryDirectory(prefix="image-") as folder:
        visitor.open("/").press("Register a project")
        image = download(visitor.link("Download a demonstration image"), Path(folder))
        say(f"image: {image.stat().st_size / 1e6:.0f} MB downloaded from the demonstration vendor")
        visitor.upload(image).press("Use this image")
        say(f"upload: {visitor.one('#rail .done small').get_text(strip=True)}")
    visitor.press("Use this node", node=node)
    say(f"node: {node}")
    set_port(visitor)
    say(f"port: {visitor.page.select('#rail .done small')[2].get_text(strip=True)}")
    deploy(visitor)
    say(f"deploy: {visitor.one('#page').get_text(strip=True)}")
    visitor.press("Show the QR code")
    code = ask_the_vendor(visitor.one("#challenge").get_text(strip=True))
    say(f"scan: the phone shows {code}")
    visitor.press("Enter the six digits").press("Verify the code", code=code)
    say(f"code: {visitor.heading}")
    visitor.press("Register ").wait(lambda page: "is registered" in page.heading, SECONDS)
    say(f"register: {visitor.heading}")
    return visitor


def sign_in(visitor: Visitor, link: str) -> Visitor:
    """The first one chooses a password; for later ones the link is enough."""
    visitor.open(link)
    if visitor.heading == "Choose a password":
        return visitor.press("Save and sign in", password="a long password", again="a long password")
    return visitor.press("Sign in with this link")


def download(url: str, folder: Path) -> Path:
    path = folder / "fanruan_license_server.tar"
    with requests.Session() as session, path.open("wb") as file:
        session.trust_env = False
        for piece in session.get(url, stream=True, timeout=60).iter_content(1 << 20):
            file.write(piece)
    return path


def set_port(visitor: Visitor) -> None:
    """The default one; when it is taken, the one that is offered."""
    visitor.press("Check and use this port").wait(lambda page: not page.has("Trying port"), SECONDS)
    if visitor.page.select("#problem"):
        visitor.press("Use ").wait(lambda page: not page.has("Trying port"), SECONDS)
    visitor.follow("Continue")


def deploy(visitor: Visitor) -> Visitor:
    """Until the authorization application answers."""
    assert visitor.press("Deploy to").status == 200, visitor.text
    return visitor.wait(lambda page: page.has("authorization application answers"), SECONDS)


def ask_the_vendor(address: str) -> str:
    """What the phone does: open the address of the QR code, look, confirm, read the code."""
    phone = Visitor().open(address).press("Issue the code")
    return str(phone.one("#code")["data-code"])


def own_journey(backend: str, built: Path | None = None) -> float:
    """On an instance of its own, with that backend and an engine that is private to it; how many seconds it took.

    `built` is what the demonstration's vendor issues upon: an image that was built from the Dockerfile.
    """
    with ENGINES[backend]() as settings, running(**settings) as instance:
        if built is not None:
            use_built(instance.data / "vendor", built)
        began = time.monotonic()
        journey(instance.link)
        return time.monotonic() - began


def prepared_journey(backend: str) -> float:
    """The embedded engine does not run what is in an image; for the others it is made as `make image` makes it."""
    if backend == "embedded":
        return own_journey(backend)
    print("image: building it from the Dockerfile", flush=True)
    with built_base() as built:
        return own_journey(backend, built)


def journey_at(url: str) -> float:
    """On the instance that runs there; how many seconds it took."""
    link = subprocess.run([*FLASK, "sign-in-link"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    began = time.monotonic()
    journey(url.rstrip("/") + "/sign-in/" + link.strip().rpartition("/")[2])
    return time.monotonic() - began


def main() -> None:
    url = os.environ.get("URL")
    seconds = journey_at(url) if url else prepared_journey(os.environ.get("BACKEND", "embedded"))
    figures.tell("journey.seconds", seconds, "<=", 20, digits=1)
    print("journey: registered, first request received")


if __name__ == "__main__":
    main()
