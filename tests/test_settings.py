"""What the environment can set."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from wizard.domain.network import EVERYTHING
from wizard.settings import ROOT, BadSetting, Settings


def test_without_any_setting_it_is_a_demonstration_on_this_machine() -> None:
    settings = Settings.from_environ({})
    assert settings.is_demonstration
    assert settings.data == ROOT / "instance"
    assert settings.url == "http://127.0.0.1:8000"
    assert (settings.vendor_url, settings.applications_url) == ("http://127.0.0.1:8001", "http://127.0.0.1:8002")
    assert settings.backend == "embedded"
    assert settings.database == f"sqlite:///{ROOT}/instance/wizard.db"
    assert settings.vendor_keys == ROOT / "instance" / "vendor" / "vendor.pub"


def test_with_an_inventory_of_its_own_it_is_no_demonstration(tmp_path: Path) -> None:
    (tmp_path / "inventory.toml").touch()
    settings = Settings.from_environ(
        {"WIZARD_INVENTORY": str(tmp_path / "inventory.toml"), "WIZARD_DATA": str(tmp_path)}
    )
    assert not settings.is_demonstration
    assert settings.vendor_keys == tmp_path / "vendor.pub"


def test_the_other_parties_of_a_demonstration_can_be_had_with_any_inventory(tmp_path: Path) -> None:
    (tmp_path / "inventory.toml").touch()
    given = {"WIZARD_INVENTORY": str(tmp_path / "inventory.toml"), "WIZARD_DATA": str(tmp_path)}
    settings = Settings.from_environ(given | {"WIZARD_DEMONSTRATION": "yes"})
    assert settings.is_demonstration
    assert settings.vendor_keys == tmp_path / "vendor" / "vendor.pub"


def test_an_empty_value_counts_as_none() -> None:
    names = ("DATA", "BACKEND", "INVENTORY", "DATABASE", "ALLOWED_NETWORKS")
    empty = dict.fromkeys(("HOST", "PORT", *(f"WIZARD_{name}" for name in names)), "")
    assert Settings.from_environ(empty) == Settings.from_environ({})


def test_what_listens_everywhere_is_found_on_this_machine() -> None:
    assert Settings.from_environ({"HOST": "0.0.0.0", "PORT": "9000"}).url == "http://127.0.0.1:9000"
    assert Settings.from_environ({"HOST": "::1"}).url == "http://[::1]:8000"


def test_networks_are_separated_by_commas() -> None:
    networks = Settings.from_environ({"WIZARD_ALLOWED_NETWORKS": "10.0.0.0/8, 192.0.2.7/32,fd00::/8"}).allowed_networks
    assert [str(network) for network in networks] == ["10.0.0.0/8", "192.0.2.7/32", "fd00::/8"]


def test_without_a_list_of_networks_all_are_allowed() -> None:
    assert Settings.from_environ({}).allowed_networks == EVERYTHING


@pytest.mark.parametrize(("policy", "takes_unknown"), [("", False), ("signed", False), ("confirm", True)])
def test_only_one_of_the_policies_takes_unknown_images(policy: str, takes_unknown: bool) -> None:
    settings = Settings.from_environ({"WIZARD_IMAGES": policy, "WIZARD_PINNED_IMAGES": "there/is/no/such.list"})
    assert (settings.takes_unknown, settings.pinned_images) == (takes_unknown, None)


def test_the_list_of_pinned_images_is_read_at_the_start(tmp_path: Path) -> None:
    pinned = tmp_path / "pinned"
    given = {"WIZARD_IMAGES": "pinned", "WIZARD_PINNED_IMAGES": str(pinned)}
    pinned.write_text(f"# ours\n{'0a' * 32}  image.tar\n")
    settings = Settings.from_environ(given)
    assert (settings.takes_unknown, settings.pinned_images) == (False, pinned)
    for content in (b"no digest", b"\xff"):
        pinned.write_bytes(content)
        with pytest.raises(BadSetting, match="WIZARD_PINNED_IMAGES: "):
            Settings.from_environ(given)
    pinned.unlink()
    for missing in (given, {"WIZARD_IMAGES": "pinned"}):
        with pytest.raises(BadSetting, match="WIZARD_PINNED_IMAGES: "):
            Settings.from_environ(missing)


NO_NETWORKS = (
    *(",", "10.0.0.0/8,", "10.0.0.0/8 192.0.2.0/24", "10.0.0.1/8", "10.0.0.5", "10/8", "*", "office", "10.0.0.0/33"),
    *("fe80::%eth0/64", "167772160/8", "10.0.0.0-10.0.0.9", "10.0.0.0\n/8", "all"),
)

NO_ADDRESSES = (
    *("wizard.example", "ftp://wizard.example", "https://", "https://wizard.example/path", "https://a b"),
    *("https://user@wizard.example", "https://wizard.example?x", "javascript://x", "https://wizard.example\n"),
)


def test_sessions_last_half_an_hour_without_a_click_and_twelve_hours_at_most() -> None:
    settings = Settings.from_environ({})
    assert (settings.idle, settings.longest_session) == (timedelta(minutes=30), timedelta(hours=12))
    settings = Settings.from_environ({"WIZARD_IDLE_MINUTES": "5", "WIZARD_SESSION_HOURS": "168"})
    assert (settings.idle, settings.longest_session) == (timedelta(minutes=5), timedelta(days=7))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://wizard.example/", "https://wizard.example"),
        ("http://[fd00::1]:8000", "http://[fd00::1]:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_links_say_what_they_are_told_to(given: str, url: str) -> None:
    settings = Settings.from_environ({"WIZARD_URL": given, "HOST": "0.0.0.0"})
    assert (settings.public_url, settings.url) == (url, "http://127.0.0.1:8000")


def test_no_proxy_is_trusted_unless_it_is_named() -> None:
    assert Settings.from_environ({}).trusted_proxies == ()
    given = Settings.from_environ({"WIZARD_TRUSTED_PROXIES": "10.0.0.5, fd00::/8"}).trusted_proxies
    assert [str(network) for network in given] == ["10.0.0.5/32", "fd00::/8"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", port) for port in ("eighty", "0", "-1", "65534", "8000.0", "٨٠٠٠", "99999999999")),
        *(("HOST", host) for host in ("localhost:8000", "here", "256.0.0.1")),
        ("WIZARD_INVENTORY", "there/is/no/such.toml"),
        ("WIZARD_DATABASE", "wizard.db"),
        *(("WIZARD_ALLOWED_NETWORKS", networks) for networks in NO_NETWORKS),
        ("WIZARD_DATA", __file__),
        ("WIZARD_IMAGES", "all"),
        *(("WIZARD_IDLE_MINUTES", minutes) for minutes in ("4", "1441", "-5", "30.0", "half an hour", "٣٠")),
        *(("WIZARD_SESSION_HOURS", hours) for hours in ("0", "169", "12h")),
        *(("WIZARD_URL", url) for url in NO_ADDRESSES),
        *(("WIZARD_TRUSTED_PROXIES", proxies) for proxies in ("proxy", "10.0.0.1/8", "10.0.0.5,", "*")),
    ],
)
def test_a_bad_value_is_told_in_one_line_that_names_the_setting(name: str, value: str) -> None:
    with pytest.raises(BadSetting) as error:
        Settings.from_environ({name: value})
    assert error.value.message.startswith(f"{name}: ")
    assert "\n" not in error.value.message


def test_the_secret_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings.from_environ({"WIZARD_DATA": str(tmp_path / "new" / "data")})
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_key(), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert [path.name for path in settings.data.iterdir()] == ["secret_key"]
    assert (settings.data / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_secret_key_that_was_emptied_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(BadSetting):
        Settings.from_environ({"WIZARD_DATA": str(tmp_path)}).secret_key()
