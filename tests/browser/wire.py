"""How much goes over the wire: for the first look at a page, and for a step that takes the place of another."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import APIResponse, Browser, Page

from tests.browser.pages import NUMBERS, STATES
from tests.browser.uploading import Place

PARTIAL: Mapping[str, str] = {"HX-Request": "true", "Accept-Encoding": "gzip"}
MOST_BYTES, MOST_REQUESTS = 100_000, 8
"""For the first look."""
LARGEST_PARTIAL = 8_000
"""Bytes."""


@dataclass
class Load:
    """What has been asked for, and the bytes that came for it, with their headers; what was at hand is not counted."""

    requests: int = 0
    size: int = 0
    _at_hand: set[str] = field(default_factory=set)

    def found(self, event: Mapping[str, Any]) -> None:
        if event.get("response", {"fromDiskCache": True})["fromDiskCache"]:
            self._at_hand.add(event["requestId"])

    def arrived(self, event: Mapping[str, Any]) -> None:
        if event["requestId"] not in self._at_hand:
            self.requests += 1
            self.size += int(event["encodedDataLength"])


def first_look(page: Page, url: str) -> Load:
    """At that page, with a browser that has never been there."""
    tools, load = page.context.new_cdp_session(page), Load()
    tools.send("Network.enable")
    tools.on("Network.requestServedFromCache", load.found)
    tools.on("Network.responseReceived", load.found)
    tools.on("Network.loadingFinished", load.arrived)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return load


def partials(browser: Browser, place: Place) -> Mapping[str, int]:
    """The bytes of each step in each of its states, as htmx asks for it."""
    sizes = {}
    for name, state in STATES.items():
        id = f"w{next(NUMBERS)}"
        with closing(browser.new_context()) as context:
            place.sign_in(context, f"person {id}")
            path = state.prepare(place, id)
            if state.is_signed_in and path.startswith(f"/registrations/{id}/"):
                sizes[name] = size(context.request.get(place.url + path, headers=dict(PARTIAL)))
    return sizes


def size(answer: APIResponse) -> int:
    """Of its headers and of its body, as it was packed."""
    headers = sum(len(it["name"]) + len(it["value"]) + 4 for it in answer.headers_array)
    return headers + int(answer.headers["content-length"])
