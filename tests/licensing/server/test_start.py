"""What is made at the first start, and what forbids a start."""

import json
import stat
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.figures import tell
from tests.licensing.issuing import Vendor
from tests.licensing.server.bench import Bench
from tests.licensing.server.member import Member
from wizard.licensing.pinned import certificate_pin
from wizard.licensing.protocol.claims import ClaimsError
from wizard.licensing.rules.limits import LOCK
from wizard.licensing.server.identity import WrongVolume, open_identity
from wizard.licensing.server.settings import parse
from wizard.licensing.server.start import InUse, hold, identify
from wizard.licensing.server.tls import open_tls

NOW = 1_800_000_000_000


def test_keys_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    claims = Vendor().claims()
    first, second = open_identity(tmp_path, claims), open_identity(tmp_path, claims)
    assert (first.public, first.keys, first.words) == (second.public, second.keys, second.words)
    for name in ("x25519.key", "ed25519.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_private_config_holds_public_data_only(tmp_path: Path) -> None:
    identity = open_identity(tmp_path, Vendor().claims())
    identity.publish(None)
    text = (tmp_path / "privateConfig").read_text()
    document = json.loads(text)
    assert document["instance"] == identity.public.hex()
    assert document["words"] == list(identity.words)
    secrets = [(tmp_path / name).read_bytes().hex() for name in ("x25519.key", "ed25519.key")]
    assert not any(secret in text for secret in (*secrets, identity.token, identity.row_key.hex()))


def test_the_entry_token_is_for_its_owner_only(tmp_path: Path) -> None:
    identity = open_identity(tmp_path, Vendor().claims())
    identity.publish(None)
    assert (tmp_path / "entryToken").read_text() == f"{identity.token}\n"
    assert stat.S_IMODE((tmp_path / "entryToken").stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format":1}', b"\xff" * 100, b"[" * 9000])
def test_a_private_config_that_cannot_be_read_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    bench = Bench(tmp_path)
    path = bench.config / "privateConfig"
    before = path.read_bytes()
    path.write_bytes(damage)
    bench.restart()
    assert path.read_bytes() == before
    path.unlink()
    bench.restart()
    assert path.read_bytes() == before
    bench.kill()


@pytest.mark.parametrize(("is_retired", "bits"), [(False, 3000), (True, 6000)])
def test_no_flipped_bit_of_the_private_config_forbids_a_start_or_changes_its_statement(
    tmp_path: Path, is_retired: bool, bits: int
) -> None:
    """Each bit, one at a time. A statement that cannot be read any more is made again: the database says RETIRED."""
    bench = Bench(tmp_path)
    stated = bench.authorization.retire(bench.now) if is_retired else None
    identity, path = bench.authorization.identity, bench.config / "privateConfig"
    whole = path.read_bytes()
    unread = 0
    for bit in range(len(whole) * 8):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        config = identity.private_config()
        unread += config is None
        assert config is None or config.retirement == stated, bit
    assert tell("config.flips.retired" if is_retired else "config.flips", len(whole) * 8, ">=", bits)
    assert 0 < unread < len(whole) * 8
    bench.kill()


@pytest.mark.parametrize("field", ["licence", "company", "instance", "signing", "words", "retirement", "proof"])
@pytest.mark.parametrize("is_retired", [False, True])
def test_a_private_config_with_a_flipped_bit_is_written_anew_at_the_next_start(
    tmp_path: Path, field: str, is_retired: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    if is_retired:
        bench.authorization.retire(bench.now)
    path = bench.config / "privateConfig"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(b'"%s":' % field.encode()) + len(field) + 5] ^= 1
    path.write_bytes(flipped)
    bench.restart()
    config = bench.authorization.identity.private_config()
    assert config is not None
    assert config.is_proven(bench.authorization.identity.keys)
    assert config.is_retired == is_retired
    assert bench.state == ("RETIRED" if is_retired else "UNAUTHENTICATED")
    assert is_retired or path.read_bytes() == whole
    assert "is written anew" in caplog.text
    bench.kill()


def test_a_damaged_private_config_keeps_the_statement_where_its_signature_is_right(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    statement = bench.authorization.retire(bench.now)
    path = bench.config / "privateConfig"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"Example Company", b"Dxample Company"))
    bench.restart()
    assert path.read_bytes() == whole
    assert bench.authorization.retire(bench.now) == statement
    bench.kill()


@pytest.mark.parametrize("licence", ["ffeeddccbbaa9988", "0011223344556676"])
@pytest.mark.parametrize("is_retired", [False, True])
def test_the_volume_of_another_licence_is_refused(tmp_path: Path, licence: str, is_retired: bool) -> None:
    """Also of one that differs in one bit only: its proof is right."""
    bench = Bench(tmp_path)
    if is_retired:
        bench.authorization.retire(bench.now)
    bench.kill()
    with pytest.raises(WrongVolume, match=licence):
        open_identity(bench.config, bench.vendor.claims(licence=licence))


def test_the_volume_of_another_licence_is_refused_whatever_keys_the_vendor_has_since(tmp_path: Path) -> None:
    open_identity(tmp_path, Vendor().claims()).publish(None)
    with pytest.raises(WrongVolume):
        open_identity(tmp_path, Vendor().claims(licence="ffeeddccbbaa9988"))


def test_the_same_licence_with_a_new_key_of_the_vendor_is_no_other_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    statement = bench.authorization.retire(bench.now)
    bench.kill()
    later = Vendor()
    identity = open_identity(bench.config, later.claims())
    identity.publish(statement)
    config = identity.private_config()
    assert config is not None
    assert config.is_proven(identity.keys)


def test_the_private_config_of_another_instance_is_refused(tmp_path: Path) -> None:
    vendor = Vendor()
    for name in ("one", "two"):
        open_identity(tmp_path / name, vendor.claims()).publish(None)
    (tmp_path / "one" / "privateConfig").write_bytes((tmp_path / "two" / "privateConfig").read_bytes())
    with pytest.raises(WrongVolume):
        open_identity(tmp_path / "one", vendor.claims())


IGNORED = [(0, 1), (0, 2), (0, 4), (31, 64), (31, 128)]
"""The bits of an X25519 key that X25519 does not look at (RFC 7748, 5: clamping), by byte and mask."""


def test_every_bit_of_the_keys_is_missed_but_those_that_x25519_ignores(tmp_path: Path) -> None:
    claims = Vendor().claims()
    open_identity(tmp_path, claims).publish(None)
    taken: list[tuple[int, int]] = []
    for name in ("x25519.key", "ed25519.key"):
        whole = (tmp_path / name).read_bytes()
        for place, mask in ((place, 1 << bit) for place in range(32) for bit in range(8)):
            flipped = bytearray(whole)
            flipped[place] ^= mask
            (tmp_path / name).write_bytes(flipped)
            with suppress(WrongVolume):
                open_identity(tmp_path, claims)
                taken.append((place, mask))
        (tmp_path / name).write_bytes(whole)
    assert taken == IGNORED


@pytest.mark.parametrize(("place", "mask"), IGNORED)
def test_a_flipped_bit_that_x25519_ignores_costs_a_scan_and_is_never_taken_for_active(
    tmp_path: Path, place: int, mask: int
) -> None:
    """The instance is the same one, but the rows are sealed with another key, so nothing of them is believed."""
    bench = Bench(tmp_path)
    bench.verify()
    Member(bench).register()
    public = bench.authorization.identity.public
    bench.stop()
    key = bytearray((bench.config / "x25519.key").read_bytes())
    key[place] ^= mask
    (bench.config / "x25519.key").write_bytes(key)
    bench.boot()
    assert bench.authorization.identity.public == public
    assert (bench.state, bench.status()["slots"]) == ("REAUTHENTICATE", [])
    bench.now += LOCK
    bench.verify()
    bench.kill()


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    claims = Vendor().claims()
    open_identity(tmp_path, claims)
    (tmp_path / "x25519.key").write_bytes(b"short")
    with pytest.raises(WrongVolume):
        open_identity(tmp_path, claims)


def test_claims_of_a_stranger_forbid_the_start(tmp_path: Path) -> None:
    vendor, stranger = Vendor(), Vendor()
    claims, _ = stranger.write(tmp_path / "strange", stranger.claims())
    _, keys = vendor.write(tmp_path / "image", vendor.claims())
    settings = parse(["--claims", str(claims), "--vendor-keys", str(keys), "--address", "127.0.0.5"])
    with pytest.raises(ClaimsError):
        identify(replace(settings, config=tmp_path / "config"))


def test_the_command_line_defaults_to_the_folders_of_the_container() -> None:
    settings = parse(["--address", "192.0.2.7", "--listen", "0.0.0.0"])
    assert (str(settings.config), str(settings.log), str(settings.tls)) == ("/app/config", "/app/log", "/app/tls")
    assert str(settings.claims) == "/app/license/claims.json"
    assert (settings.address, settings.port, settings.listen) == ("192.0.2.7", 18081, "0.0.0.0")


@pytest.mark.parametrize("port", ["0", "65536", "eighty"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SystemExit):
        parse(["--address", "192.0.2.7", "--port", port])


def test_the_certificate_is_for_the_published_ip_and_its_pin_lies_in_the_config_folder(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    tls = open_tls(tmp_path / "tls", config, "192.0.2.7", NOW)
    certificate = x509.load_pem_x509_certificate(tls.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    assert stat.S_IMODE(tls.key.stat().st_mode) == 0o600
    assert (config / "tls.pin").read_text() == f"{certificate_pin(certificate)}\n"


def test_a_mapped_certificate_is_used_as_it_is(tmp_path: Path) -> None:
    mapped = open_tls(tmp_path / "mapped", tmp_path, "192.0.2.9", NOW)
    before = mapped.certificate.read_bytes()
    again = open_tls(tmp_path / "mapped", tmp_path, "192.0.2.7", NOW)
    assert again.certificate.read_bytes() == before


def test_where_the_root_is_read_only_the_certificate_lies_in_the_config_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder can be made beneath this")
    tls = open_tls(tmp_path / "file" / "tls", tmp_path, "192.0.2.7", NOW)
    assert tls.certificate.parent == tmp_path


def test_two_processes_cannot_share_a_config_folder(tmp_path: Path) -> None:
    waited: list[float] = []
    with hold(tmp_path), pytest.raises(InUse):
        hold(tmp_path, waited.append)
    assert sum(waited) == pytest.approx(10)
    hold(tmp_path, waited.append).close()


def test_a_file_is_never_seen_half_written(tmp_path: Path) -> None:
    open_identity(tmp_path, Vendor().claims()).publish(None)
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
