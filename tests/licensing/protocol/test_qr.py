"""The QR and the six digits: bytes, keys, tag, code, address."""

import hashlib
import hmac
import io
from dataclasses import replace

import pytest
import qrcode
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from wizard.licensing.protocol.qr import (
    QR_BYTES,
    ChallengeBody,
    Keys,
    QrError,
    Reason,
    challenge_id,
    check_tag,
    code,
    derive_keys,
    from_path,
    pack,
    seal,
    to_path,
    to_url,
    unpack,
)

INSTANCE = X25519PrivateKey.from_private_bytes(bytes(range(32)))
VENDOR = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
INSTANCE_KEY = INSTANCE.public_key().public_bytes_raw()
BODY = ChallengeBody(
    kid="0a1b2c3d",
    licence="00112233445566ff",
    instance_key=INSTANCE_KEY,
    build=bytes.fromhex("8877665544332211"),
    counter=7,
    nonce=bytes(range(16)),
    minute=29_900_000,
    reason=Reason.FIRST,
)


def keys_of(body: ChallengeBody) -> Keys:
    """The keys as the vendor derives them from what a QR says."""
    return derive_keys(VENDOR, body.instance_key, licence=body.licence, kid=body.kid, instance_key=body.instance_key)


KEYS = keys_of(BODY)
QR = seal(BODY, KEYS)

bodies = st.builds(
    ChallengeBody,
    kid=st.binary(min_size=4, max_size=4).map(bytes.hex),
    licence=st.binary(min_size=8, max_size=8).map(bytes.hex),
    instance_key=st.binary(min_size=32, max_size=32),
    build=st.binary(min_size=8, max_size=8),
    counter=st.integers(0, 2**32 - 1),
    nonce=st.binary(min_size=16, max_size=16),
    minute=st.integers(0, 2**32 - 1),
    reason=st.sampled_from(Reason),
)


@given(bodies)
def test_what_is_packed_comes_out_again(body: ChallengeBody) -> None:
    qr = seal(body, KEYS)
    assert len(qr) == QR_BYTES == 87
    assert unpack(qr) == body
    assert from_path(to_path(qr)) == qr


def test_the_fields_lie_where_the_specification_puts_them() -> None:
    assert QR[:2] == b"\x01\x01"
    assert QR[2:6].hex() == BODY.kid
    assert QR[6:14].hex() == BODY.licence
    assert QR[14:46] == INSTANCE_KEY
    assert QR[46:54] == BODY.build
    assert QR[54:58] == (7).to_bytes(4, "big")
    assert QR[58:74] == BODY.nonce
    assert QR[74:78] == BODY.minute.to_bytes(4, "big")
    assert QR[78] == 1
    assert QR[79:] == hmac.digest(KEYS.kq, QR[:79], "sha256")[:8]


def test_both_sides_derive_the_same_keys() -> None:
    vendor_key = VENDOR.public_key().public_bytes_raw()
    assert derive_keys(INSTANCE, vendor_key, licence=BODY.licence, kid=BODY.kid, instance_key=INSTANCE_KEY) == KEYS


def test_the_code_is_an_hmac_that_a_few_lines_can_compute() -> None:
    """HKDF (RFC 5869) and the code by hand, and one vector that must never change."""
    shared = VENDOR.exchange(INSTANCE.public_key())
    prk = hmac.digest(bytes.fromhex(BODY.licence), shared, "sha256")
    info = b"FRL/1" + bytes.fromhex(BODY.kid) + INSTANCE_KEY
    kq = hmac.digest(prk, info + b"\x01", "sha256")
    kc = hmac.digest(prk, kq + info + b"\x02", "sha256")
    assert Keys(kq, kc) == KEYS
    by_hand = int(hmac.new(kc, b"code" + hashlib.sha256(QR).digest(), "sha256").hexdigest()[:16], 16) % 1_000_000
    assert code(KEYS, QR) == f"{by_hand:06d}" == "079138"


@pytest.mark.parametrize("bit", range(QR_BYTES * 8))
def test_every_flipped_bit_is_refused(bit: int) -> None:
    flipped = bytearray(QR)
    flipped[bit // 8] ^= 1 << (bit % 8)
    try:
        accepted = check_tag(bytes(flipped), keys_of(unpack(bytes(flipped))))
    except QrError:
        accepted = False
    assert not accepted


def test_the_untouched_qr_is_accepted() -> None:
    assert check_tag(QR, keys_of(unpack(QR)))


@pytest.mark.parametrize("length", [0, 79, 86, 88])
def test_another_length_is_no_challenge(length: int) -> None:
    with pytest.raises(QrError):
        unpack((QR + b"\0")[:length])


def test_a_reason_that_nobody_knows_is_no_challenge() -> None:
    with pytest.raises(QrError):
        unpack(QR[:78] + b"\x09" + QR[79:])


@pytest.mark.parametrize(
    "changes",
    [{"kid": "0a"}, {"licence": "zz"}, {"instance_key": b""}, {"nonce": b"x"}, {"build": b"x"}, {"counter": 2**32}],
)
def test_a_field_that_does_not_fit_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(QrError):
        pack(replace(BODY, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31), b"short"])
def test_a_public_key_that_cannot_be_agreed_with_is_refused(point: bytes) -> None:
    with pytest.raises(QrError):
        derive_keys(VENDOR, point, licence=BODY.licence, kid=BODY.kid, instance_key=INSTANCE_KEY)


def test_the_address_is_upper_case_and_about_163_characters() -> None:
    url = to_url("https://127.0.0.1:8001", QR)
    assert url == url.upper()
    assert url.startswith("HTTPS://127.0.0.1:8001/L/")
    assert 155 <= len(url) <= 175


def test_the_address_makes_a_qr_of_version_7_at_level_m() -> None:
    symbol = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    symbol.add_data(to_url("https://127.0.0.1:8001", QR))
    symbol.make(fit=True)
    assert symbol.version == 7
    symbol.print_ascii(out=io.StringIO())


@pytest.mark.parametrize(
    "damage", [str.lower, lambda t: t[:-1], lambda t: t + "A", lambda t: t[:-1] + "B", lambda t: "1" + t[1:]]
)
def test_a_damaged_address_is_refused(damage: object) -> None:
    with pytest.raises(QrError):
        from_path(damage(to_path(QR)))  # type: ignore[operator]


@pytest.mark.parametrize("text", ["", "é" * 140, "=" * 140, "A" * 100_000])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(QrError):
        from_path(text)


def test_the_challenge_id_names_one_qr() -> None:
    assert challenge_id(QR) == hashlib.sha256(QR).hexdigest()[:16]
