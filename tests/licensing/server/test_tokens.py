"""Whatever token is shown, to whatever operation, in whatever state: the answer is one that is documented."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.server.documented import SCHEMA
from tests.licensing.server.troubled import WORLDS, Troubled, ask
from wizard.licensing.protocol import api
from wizard.licensing.rules.instance import Instance
from wizard.licensing.server.operations import OPERATIONS, Operation
from wizard.licensing.server.rows import Damaged
from wizard.licensing.server.store import Store

WRONG = {"Authorization": "Bearer " + "00" * 32}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Troubled]:
    bench = Troubled(tmp_path)
    yield bench
    bench.kill()


@pytest.mark.parametrize("world", ["new", "locked", "full", "retired"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_wrong_token_gets_a_documented_answer_and_never_a_500(
    bench: Troubled, operation: Operation, world: str
) -> None:
    bench.client.application.testing = False  # so that a fault is answered, as it is for a client
    WORLDS[world](bench)
    response = ask(bench, operation, headers=WRONG)
    assert response.status_code != 500
    assert (response.status_code == 401) == bool(operation.security)
    SCHEMA[operation.path][operation.method].validate_response(response)


def test_what_a_refused_project_is_told_is_what_strangers_are_told(bench: Troubled) -> None:
    for headers in (WRONG, bench.headers()):
        refused = bench.client.post(api.REGISTRATIONS, json=bench.member.register_message(), headers=headers)
        assert refused.status_code == 409
        assert refused.json is not None
        assert refused.json["status"] == bench.status()


class Failing(Store):
    """A disk that can be read no more, once the rules have decided."""

    def load(self) -> Instance:
        raise Damaged("It cannot be read.")


@pytest.mark.parametrize("path", [api.REGISTRATIONS, api.CHALLENGES])
def test_damage_that_shows_while_a_refusal_is_put_into_words_is_said_as_damage(bench: Troubled, path: str) -> None:
    bench.client.application.testing = False
    bench.authorization.retire(bench.now)
    bench.kill()
    bench.authorization.store = Failing(bench.config, bench.authorization.identity.row_key)
    response = bench.post(path, {} if path == api.CHALLENGES else bench.member.register_message())
    assert response.status_code == 503
    bench.authorization.store.close()
