"""Inside another application's frame: who is in one, for how long, and what a page has to carry to stay known.

A frame of another site gets no cookies back, so each page holds a *bearer*, which htmx and the scripts send in the
header Authorization. Where the browser speaks https there is a partitioned cookie beside it, for links and forms
without scripts. docs/embedding.md is the contract.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from flask import Response, g, render_template, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer

from wizard.domain.launch import Issuer, Launch
from wizard.domain.person import Person, Role
from wizard.ports import Launches
from wizard.web.htmx import wants_fragment
from wizard.web.who import SAFE, Identify

LIFE = timedelta(minutes=15)
"""Of a bearer; each answer to one that is in use carries a fresh one."""
LONGEST = timedelta(hours=12)
"""From the launch to the end, however much it is used."""
FRESH = timedelta(minutes=1)
"""As long after it was made, a bearer need not be renewed."""
SCHEME = "Bearer "
RENEWED = "Wizard-Bearer"
"""The header in which an answer carries a fresh bearer."""
COOKIE = "__Host-frame"
FRAMES = frozenset({"iframe", "frame"})
"""What Sec-Fetch-Dest says of a page that is loaded into a frame."""


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Which applications may show the wizard, and what keeps their launches apart."""

    issuers: Sequence[Issuer]
    launches: Launches
    is_https: bool = False
    """Whether browsers reach the wizard by https, although it speaks http itself."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame at work, as the bearer or the cookie has it."""

    launch: Launch
    launched_at: datetime
    until: datetime
    """When what was carried ends."""
    is_proven_by_header: bool
    """By a bearer, which no other site can make a browser send; a cookie it can."""


class Frames:
    """Makes bearers, and knows them again."""

    def __init__(self, embedding: Embedding | None, secret_key: str, clock: Callable[[], datetime]) -> None:
        """Without an embedding nobody is ever in a frame."""
        self.issuers = embedding.issuers if embedding else ()
        self._speaks_https = embedding is not None and embedding.is_https
        self._clock = clock
        signing = {"digest_method": sha256, "key_derivation": "hmac"}
        self._bearers = URLSafeSerializer(secret_key, salt="bearer of a frame", signer_kwargs=signing)
        self._tokens = URLSafeSerializer(secret_key, salt="form in a frame", signer_kwargs=signing)

    @property
    def origins(self) -> tuple[str, ...]:
        """The only ones that may show the wizard in a frame."""
        return tuple(dict.fromkeys(origin for issuer in self.issuers for origin in issuer.origins))

    def first(self, ways: Sequence[Identify]) -> Sequence[Identify]:
        """Before the others; and none of them is asked about a request that carries a bearer."""
        return [self.identify, *map(self._unless_framed, ways)]

    def begin(self, launch: Launch) -> Person:
        """From now on this request is one of its frame."""
        now = self._clock()
        g.frame = Frame(launch=launch, launched_at=now, until=now, is_proven_by_header=True)
        g.person = launch.person
        return launch.person

    def identify(self) -> Person | None:
        """Who is in a frame (who.Identify)."""
        frame = self._carried()
        if frame is None:
            return None
        now = self._clock()
        if now > min(frame.until, frame.launched_at + LONGEST) or not self._is_still_agreed(frame.launch):
            g.ended_frame = frame
            return None
        g.frame = frame
        return frame.launch.person

    def turn_away(self, otherwise: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
        """Whoever was in a frame is told that it has ended, and is shown no door."""

        def turn_away() -> ResponseReturnValue:
            is_framed = carries_bearer() or (self.issuers and is_loaded_into_a_frame())
            if "Tus-Resumable" in request.headers or not is_framed:
                return otherwise()
            layout = "layouts/bare.html" if wants_fragment() else "layouts/base.html"
            return render_template("embed/ended.html", layout=layout, in_frame=True), 401

        return turn_away

    def bearer(self, frame: Frame) -> str:
        """A fresh one."""
        launch = frame.launch
        return self._signed(
            {
                "i": launch.issuer,
                "j": launch.jti,
                "p": launch.project,
                "r": launch.role.value,
                "o": launch.origin,
                "n": launch.name,
                "l": launch.language,
                "b": frame.launched_at.timestamp(),
                "u": (self._clock() + LIFE).timestamp(),
            }
        )

    def token(self, frame: Frame) -> str:
        """What a form of this frame carries against forgery."""
        return str(self._tokens.dumps([frame.launch.issuer, frame.launch.jti]))

    def is_token(self, frame: Frame, given: str) -> bool:
        try:
            return bool(self._tokens.loads(given) == [frame.launch.issuer, frame.launch.jti])
        except BadSignature:
            return False

    def renew(self, response: Response) -> Response:
        """After each request by which a frame is used: the answer brings what the next one carries."""
        frame: Frame | None = g.get("frame")
        if frame is None or asks_by_itself() or self._clock() < frame.until - LIFE + FRESH:
            return response
        fresh = self.bearer(frame)
        response.headers[RENEWED] = fresh
        if self.is_https:
            life = int(LIFE.total_seconds())
            response.set_cookie(
                COOKIE, fresh, max_age=life, secure=True, httponly=True, samesite="None", partitioned=True
            )
        return response

    @property
    def is_https(self) -> bool:
        """Whether the browser came by https, so that a cookie can be kept for the frame."""
        return request.is_secure or self._speaks_https

    def shown(self) -> Mapping[str, object] | None:
        """What a page in a frame has to know of it; None outside of one. For templates."""
        frame = current()
        if frame is None:
            return None
        return {
            "headers": json.dumps({"Authorization": SCHEME + self.bearer(frame)}),
            "origin": frame.launch.origin,
            "life": LIFE // timedelta(milliseconds=1),
            "is_https": self.is_https,
        }

    def _signed(self, content: Mapping[str, Any]) -> str:
        return str(self._bearers.dumps(content))

    def _carried(self) -> Frame | None:
        by_header = carries_bearer()
        carried = request.headers["Authorization"][len(SCHEME) :] if by_header else self._cookie()
        try:
            content = self._bearers.loads(carried)
        except BadSignature:
            return None
        launch = Launch(
            issuer=content["i"],
            jti=content["j"],
            project=content["p"],
            role=Role(content["r"]),
            origin=content["o"],
            name=content["n"],
            language=content["l"],
            expires_at=datetime.fromtimestamp(content["u"], UTC),
        )
        return Frame(
            launch=launch,
            launched_at=datetime.fromtimestamp(content["b"], UTC),
            until=launch.expires_at,
            is_proven_by_header=by_header,
        )

    def _cookie(self) -> str:
        """It counts for what is loaded into a frame. A tab of the same site has it too, and is no frame."""
        return request.cookies.get(COOKIE, "") if is_loaded_into_a_frame() else ""

    def _is_still_agreed(self, launch: Launch) -> bool:
        """Whether its issuer and its origin are still configured."""
        return any(launch.issuer == it.iss and launch.origin in it.origins for it in self.issuers)

    def _unless_framed(self, way: Identify) -> Identify:
        def identify() -> Person | None:
            return None if carries_bearer() or "ended_frame" in g else way()

        return identify


def carries_bearer() -> bool:
    return request.headers.get("Authorization", "").startswith(SCHEME)


def asks_by_itself() -> bool:
    """Whether nobody did anything: what htmx asks for a step without changing it are polls and countdowns."""
    return request.method in SAFE and wants_fragment()


def is_loaded_into_a_frame() -> bool:
    """Says the browser. On plain http it says nothing."""
    return request.headers.get("Sec-Fetch-Dest") in FRAMES


def ended_parent() -> str:
    """Where the page around a frame is from that has ended; nothing when that is not known for sure."""
    frame: Frame | None = g.get("ended_frame")
    return frame.launch.origin if frame else ""


def current() -> Frame | None:
    """The frame that this request belongs to; None outside of one."""
    frame: Frame | None = g.get("frame")
    return frame
