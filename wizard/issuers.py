"""Which applications may show the wizard in a frame: a TOML file, read at the start (docs/embedding.md)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from wizard.domain.launch import Algorithm, Issuer
from wizard.settings import BadSetting

TEXTS = ("name", "iss", "aud", "algorithm", "key")
"""What each issuer has to have, besides its origins."""
HOST = r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
ORIGIN = re.compile(rf"(?P<scheme>https?)://{HOST}(:(?P<port>[1-9][0-9]{{0,4}}))?")
"""As a browser writes it (RFC 6454): lower case, nothing behind the port."""
DEFAULT_PORTS = {"http": "80", "https": "443"}
SHORTEST_SECRET = 32
"""Bytes; as many as the digest of HS256 has (RFC 7518, 3.2)."""
SHORTEST_RSA = 2048
"""Bits."""


def read(path: Path) -> tuple[Sequence[Issuer], bool]:
    """The issuers, and whether browsers reach the wizard by https. BadSetting for the first that cannot be used."""
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise _bad(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _bad(f"{path} is not TOML: {error}.") from None
    tables = content.get("issuer")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise _bad(f"{path} names no issuer: it needs at least one [[issuer]].")
    if unknown := set(content) - {"issuer", "url"}:
        raise _bad(f"{path}: {_listed(unknown)} is not known here. There are url and [[issuer]].")
    url = content.get("url", "")
    if url and not (isinstance(url, str) and ORIGIN.fullmatch(url.rstrip("/"))):
        raise _bad("url is no address such as https://wizard.example.com, without a path.")
    issuers = [_issuer(table, f"issuer[{number}]", path.parent) for number, table in enumerate(tables)]
    _ensure_distinct(issuers)
    return issuers, str(url).startswith("https://")


def _ensure_distinct(issuers: Sequence[Issuer]) -> None:
    for number, issuer in enumerate(issuers):
        if issuer.iss in [earlier.iss for earlier in issuers[:number]]:
            raise _bad(f"issuer[{number}].iss is {issuer.iss!r}, as of an issuer before. Each has one of its own.")


def _issuer(table: Mapping[str, Any], place: str, folder: Path) -> Issuer:
    for name in (*TEXTS, "origins"):
        if name not in table:
            raise _bad(f"{place}.{name} is missing.")
    if unknown := set(table) - {*TEXTS, "origins"}:
        raise _bad(f"{place}.{_listed(unknown)} is not known here. There are {', '.join(TEXTS)} and origins.")
    for name in TEXTS:
        if not isinstance(table[name], str) or not table[name].strip() or not table[name].isprintable():
            raise _bad(f"{place}.{name} is not a text.")
    if table["algorithm"] not in list(Algorithm):
        raise _bad(f"{place}.algorithm is {table['algorithm']!r}, and none of these: {', '.join(Algorithm)}.")
    algorithm = Algorithm(table["algorithm"])
    return Issuer(
        name=table["name"],
        iss=table["iss"],
        aud=table["aud"],
        algorithm=algorithm,
        key=_key(folder / Path(table["key"]).expanduser(), algorithm, f"{place}.key"),
        origins=_origins(table["origins"], f"{place}.origins"),
    )


def _origins(given: object, place: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not given:
        raise _bad(f"{place} is not a list of at least one origin.")
    return tuple(_origin(origin, f"{place}[{number}]") for number, origin in enumerate(given))


def _origin(given: object, place: str) -> str:
    found = ORIGIN.fullmatch(given) if isinstance(given, str) else None
    if found is None or int(found["port"] or 1) > 65535:
        raise _bad(
            f"{place}: {given!r} is no origin such as http://fineops.example.com:8080: http or https, a host in small "
            "letters, a port where there is one, and nothing behind it."
        )
    if found["port"] == DEFAULT_PORTS[found["scheme"]]:
        raise _bad(f"{place}: {given!r} names the port that browsers leave out. Write it without :{found['port']}.")
    return found[0]


def _key(path: Path, algorithm: Algorithm, place: str) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise _bad(f"{place}: {path} cannot be read: {error.strerror}.") from None
    if algorithm is Algorithm.HS256:
        return _secret(key, place)
    if b"PRIVATE" in key:
        raise _bad(f"{place}: {path} is a private key, which stays with the issuer. Put its public key here.")
    try:
        public = load_pem_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        raise _bad(f"{place}: {path} is no public key in PEM form.") from None
    if not _fits(public, algorithm):
        wanted = {
            Algorithm.RS256: f"an RSA key of at least {SHORTEST_RSA} bits",
            Algorithm.ES256: "a key on the curve P-256",
        }
        raise _bad(f"{place}: {path} is no key for {algorithm.value}, which takes {wanted[algorithm]}.")
    return key


def _fits(public: object, algorithm: Algorithm) -> bool:
    if algorithm is Algorithm.RS256:
        return isinstance(public, rsa.RSAPublicKey) and public.key_size >= SHORTEST_RSA
    return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1)


def _secret(key: bytes, place: str) -> bytes:
    """A public key is no secret, and whoever has it could sign with it."""
    if key.startswith((b"-----BEGIN", b"ssh-")):
        raise _bad(f"{place}: HS256 takes a secret, and this is a key of another kind. Anybody may have that.")
    if len(key) < SHORTEST_SECRET:
        raise _bad(f"{place}: the secret has {len(key)} bytes; HS256 needs at least {SHORTEST_SECRET}.")
    return key


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _bad(words: str) -> BadSetting:
    return BadSetting(f"WIZARD_EMBED: {words}")
