"""Launch tokens that open nothing: each is refused in words of its own, tells nothing, and changes nothing."""

import base64
import json
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from tests.desk import FakeDesk
from tests.embedding import ORIGIN, Token, an_issuer, private_key, public_key
from tests.memory_store import MemoryAccounts
from tests.web.test_embed import embedded, launch
from wizard.domain.launch import LEEWAY, Algorithm
from wizard.web.launch_token import LONGEST, REQUIRED
from wizard.web.refusals import REFUSALS

ANOTHER = private_key.__wrapped__(Algorithm.RS256)
"""A key that nobody has agreed on."""
SECONDS = int(LEEWAY.total_seconds())


@pytest.fixture
def app(desk: FakeDesk, accounts: MemoryAccounts) -> Flask:
    es256 = an_issuer(Algorithm.ES256, iss="es256")
    return embedded(desk, accounts, an_issuer(), es256, an_issuer(Algorithm.HS256, iss="hs256"))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def token(desk: FakeDesk) -> Token:
    return Token(now=desk.now)


def encoded(part: object) -> str:
    text = part if isinstance(part, str) else json.dumps(part)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def parts(token: Token) -> tuple[dict[str, Any], dict[str, Any], str]:
    head, body, signature = str(token).split(".")
    read = [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body)]
    return read[0], read[1], signature


def unsigned(token: Token, alg: str) -> str:
    return f"{encoded({'alg': alg, 'typ': 'JWT'})}.{encoded(parts(token)[1])}."


def confused(token: Token) -> str:
    """Signed by HS256 with the public key as the secret, which everybody may have."""
    import hashlib
    import hmac

    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{encoded(parts(token)[1])}"
    digest = hmac.new(public_key(Algorithm.RS256), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def changed(token: Token, **claims: object) -> str:
    """With other claims under the old signature."""
    head, _, signature = str(token).split(".")
    return f"{head}.{encoded(parts(token)[1] | claims)}.{signature}"


def headed(token: Token, **fields: object) -> Token:
    return Token(now=token.now, headers=tuple(fields.items()))


def raw(body: str) -> str:
    return f"{encoded({'alg': 'RS256'})}.{encoded(body)}.{'A' * 342}"


CASES: dict[str, tuple[str, Any]] = {
    "no token": ("missing", lambda it: ""),
    "one that is too long": ("long", lambda it: it.saying(name="x" * LONGEST)),
    "no token at all, but words": ("unreadable", lambda it: "let me in"),
    "three empty parts": ("unreadable", lambda it: ".."),
    "claims that are a list": ("unreadable", lambda it: raw("[]")),
    "claims that are nested too deep": ("unreadable", lambda it: raw("[" * 2000)),
    "algorithm none": ("unsigned", lambda it: unsigned(it, "none")),
    "algorithm NoNe": ("unsigned", lambda it: unsigned(it, "NoNe")),
    "an empty algorithm": ("algorithm", lambda it: unsigned(it, "")),
    "the public key as the secret": ("algorithm", lambda it: confused(it)),
    "another algorithm of the same key": (
        "algorithm",
        lambda it: Token(now=it.now, algorithm="RS512", key=private_key(Algorithm.RS256)),
    ),
    "the algorithm of another issuer": ("algorithm", lambda it: Token(now=it.now, algorithm="ES256")),
    "a key in the header": ("header", lambda it: headed(it, jwk={"kty": "oct", "k": "AAAA"})),
    "the address of a key in the header": ("header", lambda it: headed(it, jku="http://evil.example.com/keys")),
    "a certificate in the header": ("header", lambda it: headed(it, x5c=["AAAA"])),
    "something critical in the header": ("unreadable", lambda it: headed(it, crit=["x"], x=1)),
    "another key": ("signature", lambda it: Token(now=it.now, key=ANOTHER)),
    "a kid that names a file, and another key": (
        "signature",
        lambda it: Token(now=it.now, key=ANOTHER, headers=(("kid", "../../../../dev/null"),)),
    ),
    "claims that were changed": ("signature", lambda it: changed(it, role="admin", project="cluster")),
    "no signature": ("signature", lambda it: str(it).rpartition(".")[0] + "."),
    "the name of an issuer with another algorithm": ("algorithm", lambda it: it.saying(iss="es256")),
    "the secret of another issuer": (
        "signature",
        lambda it: Token(now=it.now, algorithm="HS256", key=b"x" * 32).saying(iss="hs256"),
    ),
    "an unknown issuer": ("issuer", lambda it: it.saying(iss="http://evil.example.com")),
    "no issuer": ("issuer", lambda it: it.saying(iss=None)),
    "an issuer that is a list": ("issuer", lambda it: changed(it, iss=["x"])),
    "another audience": ("audience", lambda it: it.saying(aud="another-installation")),
    "an audience that only begins so": ("audience", lambda it: it.saying(aud="fineops-registration-wizard-2")),
    "an empty list of audiences": ("audience", lambda it: it.saying(aud=[])),
    "one that has expired": ("expired", lambda it: it.lasting(-60 - SECONDS - 1, -SECONDS - 1)),
    "one that lasts too long": ("lasting", lambda it: it.lasting(0, 61)),
    "one that was made to last by its beginning": ("lasting", lambda it: it.lasting(SECONDS + 11, SECONDS + 71)),
    "one that is not valid yet": ("early", lambda it: it.lasting(SECONDS + 1, SECONDS + 2)),
    "one that begins later than it was made": (
        "early",
        lambda it: it.saying(nbf=int(it.now.timestamp()) + SECONDS + 1),
    ),
    "an expiry that is no number": ("malformed", lambda it: it.saying(exp="tomorrow")),
    "an expiry that is true": ("malformed", lambda it: it.saying(iat=True, exp=True)),
    "an expiry that never comes": ("malformed", lambda it: it.saying(exp=float("inf"))),
    "an expiry that compares to nothing": ("malformed", lambda it: it.saying(exp=float("nan"))),
    "an id that is a number": ("malformed", lambda it: it.saying(jti=7)),
    "an id that is endless": ("malformed", lambda it: it.saying(jti="x" * 129)),
    "a name with control characters": ("malformed", lambda it: it.saying(name="Wang\nFang")),
    "a language that is a path": ("malformed", lambda it: it.saying(language="../en")),
    "a role there is none of": ("role", lambda it: it.saying(role="owner")),
    "roles in a list": ("role", lambda it: it.saying(role=["admin"])),
    "an origin that is not configured": ("origin", lambda it: it.saying(origin="http://evil.example.com")),
    "an origin with a path": ("origin", lambda it: it.saying(origin=f"{ORIGIN}/ops")),
    "every origin": ("origin", lambda it: it.saying(origin="*")),
    "a project that is not in the inventory": ("project", lambda it: it.saying(project="no-such-project")),
}
CASES |= {f"no claim {claim}": ("claim", lambda it, claim=claim: it.saying(**{claim: None})) for claim in REQUIRED[1:]}


@pytest.mark.parametrize(("reason", "make"), CASES.values(), ids=CASES)
def test_a_bad_token_is_refused_in_words_of_its_own(
    client: FlaskClient, token: Token, desk: FakeDesk, reason: str, make: Any
) -> None:
    sent = str(make(token))
    answer = launch(client, sent)
    assert answer.status_code == 403
    page = BeautifulSoup(answer.text, "html.parser")
    heading = page.find("h1")
    assert heading is not None
    assert heading.get_text() == str(REFUSALS[reason].happened)
    assert "Traceback" not in answer.text
    assert not sent or sent not in answer.text
    assert "Set-Cookie" not in answer.headers
    assert "Wizard-Bearer" not in answer.headers
    assert desk.store.registrations() == []


def test_every_refusal_has_a_test() -> None:
    elsewhere = {"elsewhere", "replayed"}
    assert {reason for reason, _ in CASES.values()} | elsewhere == set(REFUSALS)


def test_each_refusal_says_something_else() -> None:
    assert len({str(problem.happened) for problem in REFUSALS.values()}) == len(REFUSALS)


def test_a_token_is_good_once(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    sent = str(token)
    assert launch(client, sent).status_code == 200
    again = launch(client, sent)
    assert again.status_code == 403
    assert str(REFUSALS["replayed"].happened) in again.text
    assert launch(client, token).status_code == 200  # another id


def test_a_token_that_was_refused_is_not_used_up_by_it(client: FlaskClient, token: Token, desk: FakeDesk) -> None:
    early = str(token.lasting(SECONDS + 1, SECONDS + 30))
    assert launch(client, early).status_code == 403
    desk.clock.now += 2 * LEEWAY
    assert launch(client, early).status_code == 200


def test_a_token_sent_from_another_page_than_it_names_is_refused(client: FlaskClient, token: Token) -> None:
    answer = launch(client, token, Origin="http://evil.example.com")
    assert answer.status_code == 403
    assert str(REFUSALS["elsewhere"].happened) in answer.text


@pytest.mark.parametrize("origin", [ORIGIN, "null"])
def test_a_browser_that_keeps_its_origin_to_itself_is_let_in(client: FlaskClient, token: Token, origin: str) -> None:
    assert launch(client, token, Origin=origin).status_code == 200


def test_the_limits_of_a_token_belong_to_the_allowed_side(client: FlaskClient, token: Token) -> None:
    assert launch(client, token.lasting(-60 - SECONDS, -SECONDS)).status_code == 200
    assert launch(client, token.lasting(SECONDS, SECONDS + 60)).status_code == 200


def test_a_kid_is_not_looked_at(client: FlaskClient, token: Token) -> None:
    for kid in ("1", "../../etc/passwd", "' or 1=1 --"):
        assert launch(client, headed(token, kid=kid)).status_code == 200


def test_a_list_of_audiences_that_has_ours_is_good(client: FlaskClient, token: Token) -> None:
    assert launch(client, token.saying(aud=["another", "fineops-registration-wizard"])).status_code == 200


def test_whoever_opens_the_address_by_hand_is_told_where_to_go(client: FlaskClient) -> None:
    answer = client.get("/embed")
    assert answer.status_code == 403
    assert "Open it again from FineOps" in answer.text
