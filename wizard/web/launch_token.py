"""Launch tokens: JSON Web Tokens (RFC 7519) by which another application sends somebody here.

The contract is docs/embedding.md. The issuer decides how its tokens are signed, never the token: one key, one
algorithm, and nothing that the token's header says about keys is looked at.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import jwt

from wizard.domain.launch import LEEWAY, LONGEST_LIFE, Issuer, Launch
from wizard.domain.person import Role
from wizard.errors import Forbidden
from wizard.text import Text
from wizard.web.refusals import REFUSALS

LONGEST = 4096
"""Characters of a token."""
HEADERS = frozenset({"alg", "typ", "kid"})
"""What its header may hold; `kid` is not looked at. Whatever else there is names keys or wants to be understood."""
REQUIRED = ("iss", "aud", "iat", "exp", "jti", "project", "role", "origin")
OPTIONAL = ("nbf", "name", "language")
WORDS = re.compile(r"[^\x00-\x20\x7f]{1,128}")
"""What `jti`, `project` and `origin` look like."""
NAME = re.compile(r"[^\x00-\x1f\x7f]{1,64}")
LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
END_OF_TIME = 10**11
"""In seconds; no clock gets there."""


class Refused(Forbidden):
    """A launch token that opens nothing. `reason` is a key of REFUSALS."""

    def __init__(self, reason: str, **params: str | int) -> None:
        problem = REFUSALS[reason]
        super().__init__(
            Text(problem.happened.msgid, params),
            why=problem.why and Text(problem.why.msgid, params),
            todo=problem.todo,
        )
        self.reason = reason


def read(token: str, issuers: Sequence[Issuer], now: datetime) -> Launch:
    """What it says, when it is good by now; Refused with the reason. Whether it was used before is not looked at."""
    if not token:
        raise Refused("missing")
    if len(token) > LONGEST:
        raise Refused("long")
    header, unproven = _opened(token)
    if str(header.get("alg")).lower() == "none":
        raise Refused("unsigned")
    if not set(header) <= HEADERS:
        raise Refused("header")
    issuer = next((issuer for issuer in issuers if issuer.iss == unproven.get("iss")), None)
    if issuer is None:
        raise Refused("issuer")
    if header["alg"] != issuer.algorithm:
        raise Refused("algorithm", algorithm=issuer.algorithm.value)
    return _launch(_proven(token, issuer), issuer, now)


def _opened(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Its header and its claims, of which nothing is proven."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Refused("unreadable") from None
    return header, claims


def _proven(token: str, issuer: Issuer) -> Mapping[str, Any]:
    """Its claims, signed by the issuer. The times are looked at here, by the wizard's own clock, not by PyJWT."""
    unlooked = dict.fromkeys(("exp", "nbf", "iat", "aud", "iss", "sub", "jti"), False)
    options = {"verify_signature": True} | {f"verify_{claim}": False for claim in unlooked}
    try:
        claims: Mapping[str, Any] = jwt.decode(
            token,
            issuer.key,
            algorithms=[issuer.algorithm.value],
            options=options,  # type: ignore[arg-type]
        )
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Refused("signature") from None
    return claims


def _launch(claims: Mapping[str, Any], issuer: Issuer, now: datetime) -> Launch:
    for claim in REQUIRED:
        if claim not in claims:
            raise Refused("claim", claim=claim)
    audience = claims["aud"]
    if issuer.aud not in (audience if isinstance(audience, list) else [audience]):
        raise Refused("audience")
    expires_at = _in_time(claims, now)
    if claims["role"] not in list(Role):
        raise Refused("role")
    origin = _words(claims, "origin")
    if origin not in issuer.origins:
        raise Refused("origin")
    name = _optional(claims, "name", NAME) or claims["role"]
    return Launch(
        issuer=issuer.iss,
        jti=_words(claims, "jti"),
        project=_words(claims, "project"),
        role=Role(claims["role"]),
        origin=origin,
        name=f"{name} via {issuer.name}",
        language=_optional(claims, "language", LANGUAGE),
        expires_at=expires_at,
    )


def _in_time(claims: Mapping[str, Any], now: datetime) -> datetime:
    """Until when it is good, as this machine's clock has it. A limit belongs to the allowed side (R14)."""
    issued_at, expires_at = _moment(claims, "iat"), _moment(claims, "exp")
    begins_at = _moment(claims, "nbf") if "nbf" in claims else issued_at
    if expires_at - issued_at > LONGEST_LIFE or expires_at - now > LONGEST_LIFE + LEEWAY:
        raise Refused("lasting")
    if now - expires_at > LEEWAY:
        raise Refused("expired", seconds=math.ceil((now - expires_at).total_seconds()))
    early = max(issued_at, begins_at) - now
    if early > LEEWAY:
        raise Refused("early", seconds=math.ceil(early.total_seconds()))
    return expires_at + LEEWAY


def _moment(claims: Mapping[str, Any], claim: str) -> datetime:
    """Of a number of seconds (RFC 7519, 2: NumericDate). JSON as Python reads it knows NaN and Infinity as well."""
    value = claims[claim]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < END_OF_TIME:
        raise Refused("malformed", claim=claim)
    return datetime.fromtimestamp(value, UTC)


def _words(claims: Mapping[str, Any], claim: str) -> str:
    value = claims[claim]
    if not isinstance(value, str) or not WORDS.fullmatch(value):
        raise Refused("malformed", claim=claim)
    return value


def _optional(claims: Mapping[str, Any], claim: str, form: re.Pattern[str]) -> str:
    value = claims.get(claim, "")
    if not isinstance(value, str) or (value and not form.fullmatch(value)):
        raise Refused("malformed", claim=claim)
    return value
