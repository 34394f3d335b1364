from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wizard.licensing.protocol.messages import (
    Beat,
    Certificate,
    Feedback,
    MessageError,
    Register,
    Result,
    digest,
    open_message,
    seal_message,
)

PROJECT = Ed25519PrivateKey.from_private_bytes(b"p" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
BEAT = Beat(node="node-a", sequence=7, nonce="0f" * 16, last="ab" * 32)


def key(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()


def test_a_message_opens_as_what_was_sealed() -> None:
    message = seal_message(BEAT, PROJECT)
    opened = open_message(Beat, message, key(PROJECT))
    assert (opened.body, opened.key, opened.digest) == (BEAT, key(PROJECT), digest(message))


def test_names_in_any_script_and_lists_survive_json() -> None:
    body = Register(project="报表 “Süd”", nodes=("主节点", "node-b"), sequence=1, nonce="00" * 16)
    assert open_message(Register, seal_message(body, PROJECT)).body == body


def test_a_result_is_read_as_one() -> None:
    feedback = Feedback(result=Result.RECONNECTED, request="00" * 32, down_ms=5)
    assert open_message(Feedback, seal_message(feedback, PROJECT)).body.result is Result.RECONNECTED


def test_another_signer_than_the_expected_one_is_refused() -> None:
    with pytest.raises(MessageError, match="another key") as refused:
        open_message(Beat, seal_message(BEAT, STRANGER), key(PROJECT))
    assert refused.value.code == "unknown-key"


def test_another_signer_cannot_pass_under_the_expected_key() -> None:
    with pytest.raises(MessageError) as refused:
        open_message(Beat, {**seal_message(BEAT, STRANGER), "key": key(PROJECT)}, key(PROJECT))
    assert refused.value.code == "bad-signature"


@pytest.mark.parametrize("change", [{"node": "node-b"}, {"sequence": 8}, {"nonce": "00" * 16}, {"last": "00" * 32}])
def test_no_field_can_be_changed(change: dict[str, Any]) -> None:
    message = seal_message(BEAT, PROJECT)
    with pytest.raises(MessageError) as refused:
        open_message(Beat, {**message, "body": {**message["body"], **change}})
    assert refused.value.code == "bad-signature"


def test_a_message_of_one_kind_cannot_pass_for_another() -> None:
    with pytest.raises(MessageError, match="no certificate message"):
        open_message(Certificate, seal_message(BEAT, PROJECT))


GOOD: dict[str, Any] = {"node": "node-a", "sequence": 7, "nonce": "0f" * 16, "last": "ab" * 32}


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "beat",
        {},
        {**GOOD, "more": 1},
        {**GOOD, "node": ""},
        {**GOOD, "node": "a\nb"},
        {**GOOD, "node": "\ud800"},
        {**GOOD, "node": "x" * 201},
        {**GOOD, "sequence": -1},
        {**GOOD, "sequence": True},
        {**GOOD, "sequence": 1.0},
        {**GOOD, "sequence": "7"},
        {**GOOD, "sequence": 2**53},
        {**GOOD, "nonce": "0F" * 16},
        {**GOOD, "nonce": "0f" * 15},
        {**GOOD, "last": None},
    ],
)
def test_a_body_of_another_shape_is_malformed(body: Any) -> None:
    with pytest.raises(MessageError) as refused:
        open_message(Beat, {**seal_message(BEAT, PROJECT), "body": body})
    assert refused.value.code == "malformed"


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        "x",
        {},
        {"kind": "beat"},
        {**seal_message(BEAT, PROJECT), "more": 1},
        {**seal_message(BEAT, PROJECT), "key": "zz"},
        {**seal_message(BEAT, PROJECT), "key": key(PROJECT).upper()},
        {**seal_message(BEAT, PROJECT), "signature": 5},
        {**seal_message(BEAT, PROJECT), "kind": ["beat"]},
    ],
)
def test_anything_else_is_malformed(message: Any) -> None:
    with pytest.raises(MessageError) as refused:
        open_message(Beat, message)
    assert refused.value.code == "malformed"


@pytest.mark.parametrize("nodes", [[], ["a", "a"], [f"n{number}" for number in range(257)], "ab", [1]])
def test_nodes_are_different_names_and_not_too_many(nodes: Any) -> None:
    message = seal_message(Register(project="P", nodes=("a",), sequence=1, nonce="00" * 16), PROJECT)
    with pytest.raises(MessageError) as refused:
        open_message(Register, {**message, "body": {**message["body"], "nodes": nodes}})
    assert refused.value.code == "malformed"
