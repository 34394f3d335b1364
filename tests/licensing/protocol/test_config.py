"""privateConfig: public, canonical, and nobody's to write but the instance's and the vendor's."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.licensing.issuing import LICENCE, Vendor
from wizard.licensing.protocol.claims import canonical_json
from wizard.licensing.protocol.config import (
    LARGEST_PRIVATE_CONFIG,
    PrivateConfigError,
    read_private_config,
    write_private_config,
)
from wizard.licensing.protocol.messages import Beat, Body, Message, Retirement, open_message, seal_message
from wizard.licensing.protocol.qr import Keys, derive_keys
from wizard.licensing.protocol.words import fingerprint_words

VENDOR = Vendor(
    signing=Ed25519PrivateKey.from_private_bytes(b"v" * 32), activation=X25519PrivateKey.from_private_bytes(b"v" * 32)
)
CLAIMS = replace(VENDOR.claims(), company="帆软 “Süd”")
AGREEMENT = X25519PrivateKey.from_private_bytes(b"i" * 32)
SIGNING = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
INSTANCE = AGREEMENT.public_key().public_bytes_raw()
STATEMENT = Retirement(instance=INSTANCE.hex(), licence=LICENCE, counter=7, retired=1_800_000_000_000)


def vendor_keys(licence: str = LICENCE) -> Keys:
    """The keys as the vendor derives them."""
    return derive_keys(VENDOR.activation, INSTANCE, licence=licence, kid=CLAIMS.kid, instance_key=INSTANCE)


def instance_keys() -> Keys:
    vendor = VENDOR.activation.public_key().public_bytes_raw()
    return derive_keys(AGREEMENT, vendor, licence=LICENCE, kid=CLAIMS.kid, instance_key=INSTANCE)


def written(retirement: Message | None = None) -> bytes:
    signing = SIGNING.public_key().public_bytes_raw()
    return write_private_config(CLAIMS, instance=INSTANCE, signing=signing, keys=instance_keys(), retirement=retirement)


def retired(statement: Body = STATEMENT, by: Ed25519PrivateKey = SIGNING) -> bytes:
    return written(seal_message(statement, by))


def changed(**fields: Any) -> bytes:
    return canonical_json({**json.loads(retired()), **fields})


def refusal(data: bytes) -> str:
    with pytest.raises(PrivateConfigError) as refused:
        read_private_config(data)
    assert refused.value.message == str(refused.value)
    return refused.value.code


def test_what_the_instance_writes_the_vendor_reads_and_believes() -> None:
    config = read_private_config(written())
    assert (config.licence, config.company, config.project) == (LICENCE, CLAIMS.company, CLAIMS.project)
    assert (bytes.fromhex(config.instance), config.words) == (INSTANCE, fingerprint_words(INSTANCE))
    assert bytes.fromhex(config.signing) == SIGNING.public_key().public_bytes_raw()
    assert config.is_proven(vendor_keys())
    assert not config.is_retired


def test_after_retirement_it_carries_the_signed_statement() -> None:
    config = read_private_config(retired())
    assert config.is_retired
    assert config.is_proven(vendor_keys())
    assert open_message(Retirement, config.retirement, key=config.signing).body == STATEMENT


def test_it_holds_no_private_key_and_nothing_that_a_key_follows_from() -> None:
    secrets = (AGREEMENT.private_bytes_raw(), SIGNING.private_bytes_raw(), vendor_keys().kq, vendor_keys().kc)
    for data in (written(), retired()):
        assert not [secret for secret in secrets if secret in data or secret.hex().encode() in data]


def test_it_is_small_enough_for_any_mail() -> None:
    longest = replace(CLAIMS, company="帆" * 200, project="软" * 200)
    signing = SIGNING.public_key().public_bytes_raw()
    message = seal_message(STATEMENT, SIGNING)
    data = write_private_config(longest, instance=INSTANCE, signing=signing, keys=instance_keys(), retirement=message)
    assert len(data) < 4096
    assert len(retired()) < 1500
    assert read_private_config(data).company == longest.company


@pytest.mark.parametrize("keys", [vendor_keys("f" * 16), Keys(kq=bytes(32), kc=vendor_keys().kc)])
def test_the_keys_of_another_licence_or_instance_do_not_prove_it(keys: Keys) -> None:
    assert not read_private_config(written()).is_proven(keys)


@pytest.mark.parametrize("position", range(len(retired()) - 1))
def test_a_change_of_any_byte_is_refused_or_unproven(position: int) -> None:
    for mask in (0x01, 0x20, 0x80):
        data = bytearray(retired())
        data[position] ^= mask
        try:
            config = read_private_config(bytes(data))
        except PrivateConfigError:
            continue
        assert not config.is_proven(vendor_keys())


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_end_as_a_mail_program_likes(end: bytes) -> None:
    assert read_private_config(written().rstrip(b"\n") + end) == read_private_config(written())


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"[]", "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 5000, "malformed"),
        (b" " + written(), "malformed"),
        (json.dumps(json.loads(written())).encode(), "malformed"),
        (written().replace(b'{"company"', b'{"company":"A","company"'), "malformed"),
        (changed(more=1), "malformed"),
        (changed().replace(b'"proof"', b'"prooF"'), "malformed"),
        (b"{}" + b"\n" * LARGEST_PRIVATE_CONFIG, "malformed"),
        (b"{}", "other-format"),
        (changed(format=1), "other-format"),
        (changed(format=2.0), "other-format"),
        (changed(format=True), "other-format"),
        (changed(licence="0" * 15), "wrong-type"),
        (changed(licence=5), "wrong-type"),
        (changed(company=""), "wrong-type"),
        (changed(company="a\nb"), "wrong-type"),
        (changed(project="x" * 201), "wrong-type"),
        (changed(project=None), "wrong-type"),
        (changed(instance=INSTANCE.hex().upper()), "wrong-type"),
        (changed(signing="zz"), "wrong-type"),
        (changed(proof=None), "wrong-type"),
        (changed(words="acorn"), "wrong-type"),
        (changed(words=[["acorn"]] * 4), "wrong-type"),
        (changed(words=["acorn"] * 4), "wrong-type"),
        (changed(retirement=[]), "wrong-type"),
        (changed(retirement={}), "false-retirement"),
    ],
)
def test_what_is_no_privateconfig_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


@pytest.mark.parametrize(
    "data",
    [
        retired(by=Ed25519PrivateKey.from_private_bytes(b"x" * 32)),
        retired(replace(STATEMENT, instance="0" * 64)),
        retired(replace(STATEMENT, licence="f" * 16)),
        retired(Beat(node="n", sequence=1, nonce="0" * 32, last="0" * 64)),
    ],
)
def test_a_retirement_of_someone_else_or_of_another_licence_is_no_retirement(data: bytes) -> None:
    assert refusal(data) == "false-retirement"
