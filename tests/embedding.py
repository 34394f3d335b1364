"""FineOps, as far as the wizard sees it: keys, launch tokens, and the file that names them."""

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from wizard.domain.launch import Algorithm, Issuer

ORIGIN = "http://fineops.example.com"
ISS, AUD = "https://fineops.example.com", "fineops-registration-wizard"
SECRET = b"a secret of thirty-two bytes or more"


@cache
def private_key(algorithm: Algorithm) -> bytes:
    """As PEM; the secret of HS256."""
    if algorithm is Algorithm.HS256:
        return SECRET
    is_rsa = algorithm is Algorithm.RS256
    key = rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def public_key(algorithm: Algorithm) -> bytes:
    if algorithm is Algorithm.HS256:
        return SECRET
    key: Any = jwt.get_algorithm_by_name(algorithm.value).prepare_key(private_key(algorithm))
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found.strip()


def an_issuer(
    algorithm: Algorithm = Algorithm.RS256, *, iss: str = ISS, origins: tuple[str, ...] = (ORIGIN,)
) -> Issuer:
    key = public_key(algorithm)
    return Issuer(name="FineOps", iss=iss, aud=AUD, algorithm=algorithm, key=key, origins=origins)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A launch token that is good at `now`, until something about it is changed."""

    now: datetime
    algorithm: str = Algorithm.RS256
    key: bytes | None = None
    """None for the right one."""
    headers: tuple[tuple[str, Any], ...] = ()
    changes: tuple[tuple[str, Any], ...] = ()

    def saying(self, **claims: Any) -> "Token":
        """With other claims; None leaves one out."""
        return replace(self, changes=(*self.changes, *claims.items()))

    def lasting(self, begins: float, ends: float) -> "Token":
        """From so many seconds after now to so many."""
        moments = {"iat": begins, "exp": ends}
        return self.saying(**{claim: (self.now + timedelta(seconds=it)).timestamp() for claim, it in moments.items()})

    def __str__(self) -> str:
        claims: dict[str, Any] = {
            "iss": ISS,
            "aud": AUD,
            "iat": int(self.now.timestamp()),
            "exp": int(self.now.timestamp()) + 60,
            "jti": uuid.uuid4().hex,
            "project": "sales",
            "role": "admin",
            "origin": ORIGIN,
        } | dict(self.changes)
        said = {claim: value for claim, value in claims.items() if value is not None}
        key = private_key(Algorithm(self.algorithm)) if self.key is None else self.key
        return jwt.encode(said, key, algorithm=self.algorithm, headers=dict(self.headers))


def configured(folder: Path, origin: str, algorithm: Algorithm = Algorithm.RS256, url: str = "") -> Path:
    """The file that lets FineOps show the wizard, and its key beside it."""
    (folder / "fineops.key").write_bytes(public_key(algorithm))
    file = folder / "embed.toml"
    file.write_text(
        f'url = "{url}"\n[[issuer]]\nname = "FineOps"\niss = "{ISS}"\naud = "{AUD}"\n'
        f'algorithm = "{algorithm.value}"\nkey = "fineops.key"\norigins = ["{origin}"]\n'
    )
    return file


class MemoryLaunches:
    """ports.Launches."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, str], datetime] = {}

    def use(self, issuer: str, jti: str, now: datetime, expires_at: datetime) -> bool:
        self.used = {key: until for key, until in self.used.items() if until >= now}
        if (issuer, jti) in self.used:
            return False
        self.used[issuer, jti] = expires_at
        return True
