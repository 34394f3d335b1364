"""The pages of the sample parent: the projects, and one of them with the wizard in a frame."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from flask import Flask, abort, render_template, request

ISSUER = "https://fineops.example.com"
"""What the tokens say of who made them; it need not be an address that answers."""
AUDIENCE = "fineops-registration-wizard"
LIFE = timedelta(seconds=60)
LANGUAGES = ("en", "zh", "ja", "ko")


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """Signs launch tokens."""

    private_key: bytes
    """As PEM."""
    algorithm: str = "RS256"
    clock: Callable[[], datetime] = now

    def token(self, origin: str, project: str, role: str, name: str, language: str) -> str:
        """Good once, within a minute, for a frame in a page of that origin."""
        issued_at = self.clock()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": int(issued_at.timestamp()),
            "exp": int((issued_at + LIFE).timestamp()),
            "jti": uuid.uuid4().hex,
            "project": project,
            "role": role,
            "origin": origin,
            "name": name,
            "language": language,
        }
        return jwt.encode(claims, self.private_key, algorithm=self.algorithm)


def create_app(wizard: str, launcher: Launcher, projects: Mapping[str, str]) -> Flask:
    """`wizard` is its address as browsers reach it, `projects` the names of the projects by their slugs."""
    app = Flask(__name__)
    roles: Sequence[str] = ("admin", "observer")

    @app.get("/ops/decision")
    def index() -> str:
        return render_template("projects.html", projects=projects, languages=LANGUAGES, roles=roles)

    @app.get("/ops/decision/projects/<slug>/registration")
    def registration(slug: str) -> str:
        """A new token at each load: one is good once."""
        role, language = request.args.get("role", "admin"), request.args.get("language", "en")
        if slug not in projects or role not in roles or language not in LANGUAGES:
            abort(404)
        token = launcher.token(request.host_url.rstrip("/"), slug, role, "Wang Fang", language)
        return render_template("registration.html", project=projects[slug], wizard=wizard, token=token)

    return app
