"""The vendor's claims: signed, canonical, and refused when a byte is another."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from wizard.licensing.protocol.claims import (
    CLAIMS_LABEL,
    Claims,
    ClaimsError,
    canonical_json,
    dump_vendor_keys,
    is_activation_url,
    key_id,
    layers_digest,
    load_vendor_keys,
    read_claims,
    settings_digest,
    sign_claims,
)

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KID = key_id(SIGNER.public_key())
KEYS = {KID: SIGNER.public_key()}
CLAIMS = Claims(
    licence="00112233445566ff",
    company="帆软 Software Co.",
    project="Demonstration Project",
    registrations=2,
    architecture="amd64",
    layers=layers_digest(["sha256:" + "a" * 64, "sha256:" + "b" * 64]),
    settings=settings_digest({"User": "65532:65532", "Entrypoint": ["/program"]}),
    supersedes=None,
    issued="2026-11-24T05:30:00Z",
    kid=KID,
    activation="http://127.0.0.1:8001",
    vendor_key="c" * 64,
)
ENVELOPE = sign_claims(CLAIMS, SIGNER)


def refusal(envelope: bytes) -> str:
    with pytest.raises(ClaimsError) as raised:
        read_claims(envelope, KEYS)
    assert raised.value.message
    return raised.value.code


def test_what_was_signed_is_read_again() -> None:
    assert read_claims(ENVELOPE, KEYS) == CLAIMS
    assert read_claims(sign_claims(replace(CLAIMS, supersedes="f" * 16), SIGNER), KEYS).supersedes == "f" * 16


def test_signing_is_deterministic() -> None:
    assert sign_claims(CLAIMS, SIGNER) == ENVELOPE


@pytest.mark.parametrize("position", range(len(ENVELOPE)))
def test_a_change_of_any_byte_is_refused(position: int) -> None:
    for mask in (0x01, 0x20, 0x80):
        changed = bytearray(ENVELOPE)
        changed[position] ^= mask
        assert refusal(bytes(changed))


@pytest.mark.parametrize(
    "damage", [lambda e: e + b"\n", lambda e: e[:-1], lambda e: b" " + e, lambda e: b"", lambda e: b"[" * 8000]
)
def test_another_spelling_is_malformed(damage: object) -> None:
    assert refusal(damage(ENVELOPE)) == "malformed"  # type: ignore[operator]


def test_a_longer_document_than_any_real_one_is_not_even_parsed() -> None:
    assert refusal(canonical_json({"claims": {"x": "y" * 10_000}, "signature": "0" * 128})) == "malformed"


def test_a_key_that_is_not_the_vendors_is_named() -> None:
    stranger = Ed25519PrivateKey.generate()
    foreign = sign_claims(replace(CLAIMS, kid=key_id(stranger.public_key())), stranger)
    assert refusal(foreign) == "unknown-vendor-key"
    assert refusal(sign_claims(CLAIMS, stranger)) == "bad-signature"


@pytest.mark.parametrize(
    "changes",
    [
        {"registrations": True},
        {"registrations": 0},
        {"registrations": "2"},
        {"company": ""},
        {"company": "two\nlines"},
        {"project": None},
        {"licence": "00112233445566FF"},
        {"issued": "2026-11-24 05:30"},
        {"issued": "2026-13-24T05:30:00Z"},
        {"supersedes": "none"},
        {"layers": "ab"},
        {"settings": "ab"},
        {"settings": None},
        {"architecture": "../x"},
        {"activation": "javascript:alert(1)"},
        {"activation": "https://vendor.example/activate"},
    ],
)
def test_a_claim_of_the_wrong_shape_is_refused_though_signed(changes: dict[str, object]) -> None:
    assert refusal(sign_claims(replace(CLAIMS, **changes), SIGNER)) == "wrong-type"  # type: ignore[arg-type]


def test_a_missing_or_an_unknown_claim_is_malformed() -> None:
    body = json.loads(ENVELOPE)
    del body["claims"]["project"]
    assert refusal(canonical_json(body)) == "malformed"
    body["claims"] |= {"project": "p", "more": 1}
    assert refusal(canonical_json(body)) == "malformed"


def test_claims_from_before_there_was_one_about_settings_are_read_as_they_were_signed() -> None:
    body = json.loads(ENVELOPE)["claims"]
    del body["settings"]
    signature = SIGNER.sign(b"FRL/1 claims\n" + canonical_json(body)).hex()
    assert read_claims(canonical_json({"claims": body, "signature": signature}), KEYS) == replace(CLAIMS, settings=None)


def test_a_claim_that_was_taken_out_after_signing_is_missed() -> None:
    envelope = json.loads(ENVELOPE)
    del envelope["claims"]["settings"]
    assert refusal(canonical_json(envelope)) == "bad-signature"


SETTINGS = {"User": "65532:65532", "Env": ["A=b"], "ExposedPorts": {"18081/tcp": {}}, "Labels": {"title": "t"}}


def test_the_digest_of_settings_does_not_depend_on_their_order_or_on_the_label_with_the_claims() -> None:
    labelled = SETTINGS | {"Labels": {CLAIMS_LABEL: "{}", "title": "t"}}
    assert settings_digest(dict(reversed(labelled.items()))) == settings_digest(SETTINGS)
    assert settings_digest({"Labels": {CLAIMS_LABEL: "{}"}}) == settings_digest({})


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_what_is_null_or_empty_is_no_setting(nothing: object) -> None:
    assert settings_digest(SETTINGS | {"Cmd": nothing}) == settings_digest(SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"User": "0"},
        {"Env": ["A=b", "PYTHONPATH=/app/config"]},
        {"Env": None},
        {"Env": [""]},
        {"ExposedPorts": {"18081/tcp": {}, "22/tcp": {}}},
        {"Labels": {"title": "another"}},
        {"Labels": {"title": "t", "License.Claims": "{}"}},
        {"user": "0"},
        {"Unknown": 1},
        {"StopTimeout": 0},
        {"AttachStdin": False},
    ],
    ids=repr,
)
def test_the_digest_of_settings_changes_with_every_key(change: dict[str, object]) -> None:
    assert settings_digest(SETTINGS | change) != settings_digest(SETTINGS)


def test_the_build_is_the_beginning_of_the_layers_digest() -> None:
    assert CLAIMS.build.hex() == CLAIMS.layers[:16]
    assert CLAIMS.issued_at.isoformat() == "2026-11-24T05:30:00+00:00"


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": 1, "a": ["ü", None]}) == '{"a":["ü",null],"b":1}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))


def test_vendor_keys_are_written_and_read() -> None:
    read = load_vendor_keys(dump_vendor_keys(KEYS))
    assert {kid: key.public_bytes_raw() for kid, key in read.items()} == {KID: SIGNER.public_key().public_bytes_raw()}


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"keys":{"a":"zz"}}', b'{"keys":[]}', b"[]", b'{"keys":{"a":1}}', b"[" * 5000]
)
def test_a_file_that_holds_no_vendor_keys_is_refused(data: bytes) -> None:
    with pytest.raises(ClaimsError):
        load_vendor_keys(data)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001", "https://licence.example"])
def test_an_activation_page_is_named_by_scheme_host_and_port(url: str) -> None:
    assert is_activation_url(url)
    assert not is_activation_url(url + "/")
