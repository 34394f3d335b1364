"""FineOps in a real browser: the sample parent, on another site than the wizard, and no third-party cookies."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import BrowserContext, Frame, Page, Playwright

from examples.fineops.application import AUDIENCE, ISSUER, Launcher, create_app
from tests import tls
from tests.browsing import LAUNCH, served
from tests.embedding import private_key, public_key
from tests.instance import Instance, free_ports, running
from wizard.domain.launch import Algorithm

HOST = "fineops.test"
"""A site of its own; the browser is told where it is."""
PROJECTS = {"demo-cluster": "Production planning", "demo-single": "Sales reports"}
ALGORITHM = Algorithm.ES256
BLOCKING = {"profile": {"cookie_controls_mode": 1, "block_third_party_cookies": True}}
"""Chromium's preference: third-party cookies are blocked everywhere."""


@dataclass(frozen=True)
class Embedded:
    """An installation that FineOps shows, and the address of FineOps."""

    instance: Instance
    wizard: str
    """As browsers reach it."""
    fineops: str
    """The origin of FineOps."""

    def open(self, page: Page, project: str = "demo-cluster", **choices: str) -> Frame:
        """FineOps' page with the wizard in it."""
        query = "&".join(f"{name}={value}" for name, value in choices.items())
        page.goto(f"{self.fineops}/ops/decision/projects/{project}/registration?{query}")
        frame = page.frame(name="wizard")
        assert frame is not None
        return frame


@contextmanager
def embedded(folder: Path, scheme: str = "http", configured: str = "") -> Iterator[Embedded]:
    """Both, on real ports. `configured` is the origin that may show the wizard, when it is another than FineOps'."""
    port = free_ports(5)
    is_https = scheme == "https"
    wizard = f"{scheme}://127.0.0.1:{port + 3 if is_https else port}"
    parent = create_app(wizard, Launcher(private_key=private_key(ALGORITHM), algorithm=ALGORITHM.value), PROJECTS)
    (folder / "public.pem").write_bytes(public_key(ALGORITHM))
    configuration = folder / "embed.toml"
    outside = tls.terminated(port + 3, port) if is_https else nullcontext()
    with served(parent, ssl_context=tls.context() if is_https else None) as address, outside:
        fineops = address.replace("127.0.0.1", HOST)
        issuer = {
            "name": "FineOps",
            "iss": ISSUER,
            "aud": AUDIENCE,
            "algorithm": ALGORITHM.value,
            "key": "public.pem",
            "origins": [configured or fineops],
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in issuer.items()]
        configuration.write_text("\n".join([f'url = "{wizard}"', "[[issuer]]", *lines]))
        with running(PORT=str(port), WIZARD_EMBED=str(configuration)) as instance:
            yield Embedded(instance, wizard, fineops)


@contextmanager
def without_third_party_cookies(playwright: Playwright, folder: Path, **options: Any) -> Iterator[BrowserContext]:
    """A browser of its own: the preference is one of a whole profile."""
    profile = folder / "profile"
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(BLOCKING))
    arguments: dict[str, Any] = LAUNCH | {"args": [*LAUNCH["args"], f"--host-resolver-rules=MAP {HOST} 127.0.0.1"]}
    context = playwright.chromium.launch_persistent_context(
        profile, **arguments, ignore_https_errors=True, viewport={"width": 1280, "height": 900}, **options
    )
    try:
        yield context
    finally:
        context.close()


def messages(page: Page, kind: str = "") -> list[dict[str, Any]]:
    """What the wizard has told FineOps, in order."""
    found = [json.loads(line) for line in page.locator("#messages li").all_inner_texts()]
    return [message for message in found if kind in ("", message["type"])]


def as_page(frame: Frame) -> Page:
    """For what is written for whole pages; a frame has all that it needs."""
    return cast(Page, frame)
