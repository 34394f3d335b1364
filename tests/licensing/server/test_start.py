"""What is made at the first start, and what forbids a start."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.licensing.issuing import Vendor
from tests.licensing.server.bench import Bench
from wizard.licensing.pinned import certificate_pin
from wizard.licensing.protocol.claims import ClaimsError
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


def test_the_volume_of_another_licence_is_refused(tmp_path: Path) -> None:
    vendor = Vendor()
    open_identity(tmp_path, vendor.claims()).publish(None)
    with pytest.raises(WrongVolume, match="ffeeddccbbaa9988"):
        open_identity(tmp_path, vendor.claims(licence="ffeeddccbbaa9988"))


@pytest.mark.parametrize("name", ["x25519.key", "ed25519.key"])
def test_a_key_of_which_one_bit_was_flipped_is_refused(tmp_path: Path, name: str) -> None:
    claims = Vendor().claims()
    open_identity(tmp_path, claims).publish(None)
    key = bytearray((tmp_path / name).read_bytes())
    key[7] ^= 1
    (tmp_path / name).write_bytes(key)
    with pytest.raises(WrongVolume):
        open_identity(tmp_path, claims)


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
