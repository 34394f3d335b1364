"""A person with a browser that knows no script: follows links, fills in forms, reads pages."""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup
from bs4.element import Tag
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart


class Stuck(AssertionError):
    """The page does not have what the visitor looks for. The message holds what it says instead."""


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects."""

    url: str
    status: int
    text: str


class Browser(Protocol):
    """How pages are fetched: over a real connection, or straight from an application."""

    def get(self, url: str) -> Answer: ...

    def post(
        self,
        url: str,
        data: Mapping[str, str] | IO[bytes],
        headers: Mapping[str, str] | None = None,
    ) -> Answer: ...


class RealBrowser:
    """Over HTTP."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.trust_env = False

    @property
    def cookies(self) -> str:
        """As a request sends them."""
        return "; ".join(f"{it.name}={it.value}" for it in self._session.cookies)

    def get(self, url: str) -> Answer:
        return self._answer(self._session.get(url, timeout=30))

    def post(self, url: str, data: Mapping[str, str] | IO[bytes], headers: Mapping[str, str] | None = None) -> Answer:
        return self._answer(self._session.post(url, data=data, headers=headers, timeout=120))

    def wear(self, cookies: str) -> None:
        """Come with these cookies from now on, as a request sends them."""
        for cookie in filter(None, cookies.split("; ")):
            name, _, value = cookie.partition("=")
            self._session.cookies.set(name, value)

    def _answer(self, answer: requests.Response) -> Answer:
        return Answer(answer.url, answer.status_code, answer.text)


class InnerBrowser:
    """Straight into a Flask application, without a network."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, url: str) -> Answer:
        return self.open(url, method="GET")

    def post(self, url: str, data: Mapping[str, str] | IO[bytes], headers: Mapping[str, str] | None = None) -> Answer:
        return self.open(url, method="POST", data=data, headers=headers)

    def open(self, url: str, **request: object) -> Answer:
        answer = self.client.open(url, follow_redirects=True, **request)  # type: ignore[arg-type]
        return Answer(answer.request.url, answer.status_code, answer.text)


class Visitor:
    """Holds one session and the page that is open."""

    def __init__(self, browser: Browser | None = None, home: str = "") -> None:
        self.browser = browser or RealBrowser()
        self.url = home
        self.status = 0
        self.page = BeautifulSoup("", "html.parser")

    def open(self, url: str) -> "Visitor":
        return self._arrive(self.browser.get(urljoin(self.url, url)))

    def follow(self, text: str) -> "Visitor":
        """Click the link of that text."""
        return self.open(self.link(text))

    def link(self, text: str) -> str:
        """Where the link of that text leads."""
        for link in self.page.find_all("a", href=True):
            if text in link.get_text(" ", strip=True):
                return urljoin(self.url, str(link["href"]))
        raise Stuck(f"no link says {text!r}: {self.text}")

    def press(self, text: str, **fields: str) -> "Visitor":
        """Fill in the form of the button of that text, and press it."""
        form, button = self._button(text)
        data = self._filled(form)
        if button.get("name"):
            data[str(button["name"])] = str(button.get("value", ""))
        return self._arrive(self.browser.post(self._action(form), data | fields))

    def upload(self, path: Path) -> "Visitor":
        """Choose the file in the form that takes one, and send it: as one of the form's parts."""
        form, _ = self._button("Upload the image")
        chooser = self.one("form[enctype='multipart/form-data'] input[type=file]")
        with path.open("rb") as file:
            parts = self._filled(form) | {str(chooser["name"]): FileStorage(file, filename=path.name)}
            body, _, boundary = stream_encode_multipart(parts)  # on the disk when it is large
        with body:
            kind = {"Content-Type": f"{form['enctype']}; boundary={boundary}"}
            return self._arrive(self.browser.post(self._action(form), body, kind))

    def wait(self, arrived: Callable[["Visitor"], bool], seconds: float) -> "Visitor":
        """Load the page again until it shows what is waited for."""
        end = time.monotonic() + seconds
        while not arrived(self):
            if time.monotonic() > end:
                raise Stuck(f"still not there after {seconds} s: {self.text}")
            time.sleep(0.1)
            self.open(self.url)
        return self

    def reload_patiently(self, seconds: float) -> "Visitor":
        """Load the page again until there is somebody to answer."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.open(self.url)
            except requests.ConnectionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    @property
    def heading(self) -> str:
        heading = self.page.find("h1")
        return heading.get_text(" ", strip=True) if heading else ""

    @property
    def text(self) -> str:
        body = self.page.find("main") or self.page
        return re.sub(r"\s+", " ", body.get_text(" ", strip=True))

    def has(self, text: str) -> bool:
        return text in self.text

    def one(self, selector: str) -> Tag:
        found = self.page.select_one(selector)
        if found is None:
            raise Stuck(f"the page has no {selector}: {self.text}")
        return found

    def _button(self, text: str) -> tuple[Tag, Tag]:
        for button in self.page.find_all("button"):
            form = button.find_parent("form")
            if form and text in button.get_text(" ", strip=True):
                return form, button
        raise Stuck(f"no button says {text!r}: {self.text}")

    def _filled(self, form: Tag) -> dict[str, str]:
        """What the form sends as it stands, but for buttons and files."""
        data = {str(field["name"]): str(field.get("value", "")) for field in form.find_all("input", type="hidden")}
        for field in form.find_all("input"):
            if field.get("type") in ("radio", "checkbox") and not field.has_attr("checked"):
                continue
            if field.get("name") and field.get("type") not in ("hidden", "file"):
                data[str(field["name"])] = str(field.get("value", ""))
        return data

    def _action(self, form: Tag) -> str:
        return urljoin(self.url, str(form.get("action") or self.url))

    def _arrive(self, answer: Answer) -> "Visitor":
        self.url, self.status = answer.url, answer.status
        self.page = BeautifulSoup(answer.text, "html.parser")
        return self
