"""What is made at the first start, and what forbids a start."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from tests.licensing.issuing import Vendor
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
    document = json.loads((tmp_path / "privateConfig").read_bytes())
    assert document["instance"] == identity.public.hex()
    assert document["words"] == list(identity.words)
    secrets = [(tmp_path / name).read_bytes().hex() for name in ("x25519.key", "ed25519.key")]
    assert not any(secret in str(document) for secret in secrets)


def test_a_private_config_that_was_taken_out_comes_back(tmp_path: Path) -> None:
    vendor = Vendor()
    open_identity(tmp_path, vendor.claims())
    before = (tmp_path / "privateConfig").read_bytes()
    (tmp_path / "privateConfig").unlink()
    open_identity(tmp_path, vendor.claims())
    assert (tmp_path / "privateConfig").read_bytes() == before


def test_the_volume_of_another_licence_is_refused(tmp_path: Path) -> None:
    vendor = Vendor()
    open_identity(tmp_path, vendor.claims())
    with pytest.raises(WrongVolume, match="ffeeddccbbaa9988"):
        open_identity(tmp_path, vendor.claims(licence="ffeeddccbbaa9988"))


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
    open_identity(tmp_path, Vendor().claims())
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
