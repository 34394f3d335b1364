"""The OpenAPI document: it is valid and complete, and schemathesis finds no answer that it does not describe."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zlib import crc32

import pytest
import schemathesis
from flask import Flask, request
from schemathesis import Case

from tests.figures import tell
from tests.licensing.issuing import LICENCE
from tests.licensing.server.documented import ALL, DOCUMENT, SCHEMA, responses, says
from tests.licensing.server.troubled import WORLDS, Troubled
from wizard.licensing.protocol import api
from wizard.licensing.protocol.messages import Beat, Body, Deauthorize, Register, seal_message
from wizard.licensing.rules.limits import SECOND
from wizard.licensing.server.api import JUDGED
from wizard.licensing.server.operations import OPERATIONS
from wizard.licensing.server.refusals import ANSWERS, REFUSALS, STATUSES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Troubled]:
    bench = Troubled(tmp_path)
    yield bench
    bench.kill()


def test_every_example_is_one() -> None:
    mirror = Flask("mirror")
    mirror.post("/<int:status>")(lambda status: (request.get_json(), status))
    for operation, status, word in ALL:
        content = responses(operation)[str(status)]["content"]
        if "application/json" in content:
            example = content["application/json"]["examples"][word]["value"]
            reflected = mirror.test_client().post(f"/{status}", json=example)
            SCHEMA[operation.path][operation.method].validate_response(reflected)


def test_every_route_is_documented_and_every_documented_one_is_a_route(bench: Troubled) -> None:
    rules = [rule for rule in bench.client.application.url_map.iter_rules() if rule.endpoint != "static"]
    routes = {(rule.rule, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    listed = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert listed == routes


def test_every_code_and_every_judgement_is_documented_with_its_status() -> None:
    words = {word for _, _, word in ALL}
    unreached = {word for response in DOCUMENT["components"]["responses"].values() for word in says(response)}
    assert unreached == set(STATUSES.values()) - words
    assert set(REFUSALS) <= words | unreached
    assert set(ANSWERS.values()) <= words
    for operation, status, word in ALL:
        if operation.path == api.CODES and word in JUDGED:
            assert status == JUDGED[word]  # type: ignore[index]
    assert set(JUDGED) <= words


def test_the_document_is_what_openapi_wants_and_is_served(bench: Troubled) -> None:
    SCHEMA.validate()
    assert bench.client.get(api.OPENAPI).json == DOCUMENT


def test_every_operation_names_its_rules_and_what_it_is_for() -> None:
    for operation in OPERATIONS:
        described = DOCUMENT["paths"][operation.path][operation.method]
        assert described["summary"]
        assert described["description"].endswith(f"Rules: {operation.rules}.")


# What schemathesis makes of it.


class Stage:
    """A WSGI application that is whichever one is put on it."""

    app: "WSGIApplication"
    requests = 0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        self.requests += 1
        return self.app(environ, start_response)


CONFIG = schemathesis.Config.from_dict(
    {
        "seed": 20,
        "generation": {"max-examples": 8, "deterministic": True, "database": "none"},
        "checks": {
            # What is well formed can still be refused: a code can be wrong, a signature somebody else's.
            "positive_data_acceptance": {"enabled": False},
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", 503]},
            "negative_data_rejection": {"expected-statuses": ["400", "401", "413", "415", "422", "429", "503"]},
        },
    }
)
PROBED = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
PROBED.app = STAGE = Stage()

Help = Callable[[Troubled, dict[str, Any]], dict[str, Any]]


class Hall:
    """A bench for each world, made when it is first visited; and what was answered there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._benches: dict[str, Troubled] = {}
        self.seen: set[int] = set()

    def visit(self, world: str) -> Troubled:
        """A second later than whoever was there before."""
        if world not in self._benches:
            self._benches[world] = Troubled(self._folder / world)
            WORLDS[world](self._benches[world])
        bench = self._benches[world]
        bench.pass_by(SECOND)
        return bench

    def close(self) -> None:
        for bench in self._benches.values():
            bench.kill()


@pytest.fixture(scope="module")
def halls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Hall]]:
    """One for each operation, so that a test that is run alone does the same as among the others."""
    halls = {operation.name: Hall(tmp_path_factory.mktemp(operation.name)) for operation in OPERATIONS}
    yield halls
    for hall in halls.values():
        hall.close()


def signed(kind: Callable[..., Body]) -> Help:
    """The generated body, signed by a project."""
    return lambda bench, body: seal_message(kind(**body["body"]), bench.member.private)


def matched(bench: Troubled, body: dict[str, Any]) -> dict[str, Any]:
    """A code that is right or wrong for a QR that is open."""
    opened = bench.client.post(api.CHALLENGES, json={}).json or {}
    if "challenge" not in opened:
        return body
    choose = bench.right if crc32(body["code"].encode()) % 2 else bench.wrong
    return {**body, "challenge": opened["challenge"]["id"], "code": choose(opened["challenge"])}


HELPS: Mapping[str, Help] = {
    "createChallenge": lambda bench, body: body,
    "enterCode": matched,
    "register": signed(Register),
    "beat": signed(Beat),
    "deauthorize": signed(Deauthorize),
    "retire": lambda bench, body: {"licence": LICENCE},
    "pageSubmit": lambda bench, body: matched(bench, {"code": "", **body}),
}
"""How a document that is well formed gets further than a random one does."""

DEPTHS: Mapping[str, set[int]] = {
    "createChallenge": {201, 400, 410, 415, 423, 503},
    "enterCode": {200, 400, 410, 415, 422, 423, 503},
    "register": {201, 400, 409, 410, 415, 503},
    "beat": {200, 400, 415, 503},
    "deauthorize": {200, 400, 415, 503},
    "retire": {200, 400, 401, 415, 503},
    "pageSubmit": {303, 400, 410, 422, 423, 503},
}
"""What has to have been met on the way."""


def some_world(case: Case[Any]) -> str:
    """The same one whenever the same case comes."""
    return sorted(WORLDS)[crc32(repr((case.body, case.headers, case.method)).encode()) % len(WORLDS)]


@PROBED.parametrize()
def test_schemathesis_finds_no_answer_that_is_not_documented(case: Case[Any], halls: Mapping[str, Hall]) -> None:
    """Any case in some world; and what is well formed in each of them, once it has been helped."""
    name = case.operation.definition.raw["operationId"]
    hall, world = halls[name], some_world(case)
    call(case, hall.visit(world), hall)
    if name == "retire":
        call(case, hall.visit(world), hall, hall.visit(world).headers())
    if name in HELPS and case.meta and case.meta.generation.mode.is_positive:
        given = case.body
        for bench in map(hall.visit, sorted(WORLDS)):
            case.body = HELPS[name](bench, cast("dict[str, Any]", given))
            call(case, bench, hall, bench.headers() if name == "retire" else None)


def call(case: Case[Any], bench: Troubled, hall: Hall, headers: dict[str, str] | None = None) -> None:
    STAGE.app = bench.client.application
    response = case.call(headers=headers)
    case.validate_response(response, headers=headers)
    hall.seen.add(response.status_code)


def test_schemathesis_went_deep(halls: Mapping[str, Hall]) -> None:
    """In those operations that it was let loose on before."""
    for name, depth in DEPTHS.items():
        assert not halls[name].seen or depth <= halls[name].seen, (name, halls[name].seen)
    if all(hall.seen for hall in halls.values()):
        assert tell("openapi.requests", STAGE.requests, ">=", 1000)
