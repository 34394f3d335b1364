"""What can be set from outside, by the environment. Everything has a default that works on one machine."""

import ipaddress
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from click import ClickException

from wizard.domain.image import CONFIRM, PINNED, POLICIES, SIGNED, read_pins
from wizard.domain.network import EVERYTHING, Network

ROOT = Path(__file__).resolve().parent.parent
"""The folder of app.py."""
HIGHEST_PORT = 65533
"""The two ports above are needed as well."""
ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound to


class BadSetting(ClickException):
    """A setting that cannot be used. The command line shows it as one line, and ends."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One installation's settings. Nothing is written to the disk until `secret_key` is asked for."""

    data: Path
    """The folder of everything that is kept."""
    host: str
    """The IP address at which the wizard listens."""
    port: int
    backend: str
    """Name of the engine: a key of wizard.backends.BACKENDS."""
    inventory: Path | None
    """The file of projects and nodes; None for the packaged one."""
    allowed_networks: tuple[Network, ...]
    """Where nodes and engines may be."""
    is_demonstration: bool
    """Whether the other parties run on this machine too: a vendor and applications of ours."""
    database: str
    """SQLAlchemy's URL of the store."""
    vendor_keys: Path
    """The vendor's public keys, vendor.pub. It may come into being later."""
    takes_unknown: bool
    """Whether an image that the vendor has not signed is taken, once the admin has confirmed its digest."""
    pinned_images: Path | None
    """The list of the only images that are taken; None where none is needed."""
    embed: Path | None
    """The file of the applications that may show the wizard in a frame; None where none may."""
    told_url: str
    """What links begin with; nothing where the wizard's own address will do."""
    trusted_proxies: tuple[Network, ...]
    """Whose word counts for where a request comes from."""
    idle: timedelta
    """How long a session goes on without a click."""
    longest_session: timedelta
    """How long it goes on at most."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read them all; BadSetting for the first that cannot be used. An empty value counts as none."""
        given = {name: value for name, value in environ.items() if value}
        data = Path(given.get("WIZARD_DATA", ROOT / "instance")).expanduser().absolute()
        if data.exists() and not data.is_dir():
            raise BadSetting(f"WIZARD_DATA: {data} is not a folder.")
        inventory = _inventory(given)
        is_demonstration = inventory is None or bool(given.get("WIZARD_DEMONSTRATION"))
        keys = data / "vendor" / "vendor.pub" if is_demonstration else data / "vendor.pub"
        return cls(
            data=data,
            host=_host(given),
            port=_port(given),
            backend=given.get("WIZARD_BACKEND", "embedded"),
            inventory=inventory,
            allowed_networks=_networks(given),
            is_demonstration=is_demonstration,
            database=_database(given, data),
            vendor_keys=Path(given.get("WIZARD_VENDOR_KEYS", keys)).expanduser().absolute(),
            takes_unknown=_policy(given) == CONFIRM,
            pinned_images=_pinned_images(given),
            embed=Path(given["WIZARD_EMBED"]).expanduser().absolute() if "WIZARD_EMBED" in given else None,
            told_url=_told_url(given),
            trusted_proxies=_proxies(given),
            idle=timedelta(minutes=_count("WIZARD_IDLE_MINUTES", given.get("WIZARD_IDLE_MINUTES", "30"), 5, 1440)),
            longest_session=timedelta(
                hours=_count("WIZARD_SESSION_HOURS", given.get("WIZARD_SESSION_HOURS", "12"), 1, 168)
            ),
        )

    @property
    def vendor_port(self) -> int:
        return self.port + 1

    @property
    def applications_port(self) -> int:
        return self.port + 2

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the wizard."""
        return f"http://{self._own_address}:{self.port}"

    @property
    def public_url(self) -> str:
        """What links of the wizard begin with."""
        return self.told_url or self.url

    @property
    def vendor_url(self) -> str:
        return f"http://{self._own_address}:{self.vendor_port}"

    @property
    def applications_url(self) -> str:
        return f"http://{self._own_address}:{self.applications_port}"

    @property
    def _own_address(self) -> str:
        host = "127.0.0.1" if self.host in ANY_ADDRESS else self.host
        return f"[{host}]" if ":" in host else host

    def secret_key(self) -> str:
        """The key that signs sessions and links: 64 hex digits, made at the first call and kept, for its owner only."""
        path = self.data / "secret_key"
        if not path.exists():
            self.data.mkdir(parents=True, exist_ok=True)
            _create(path, secrets.token_hex(32))
        key = path.read_text().strip()
        if len(key) < 32:
            raise BadSetting(f"{path} holds no key. Remove the file, and another will be made; everyone signs in anew.")
        return key


def _create(path: Path, content: str) -> None:
    """Write a file of mode 0600 under its name whole, unless another process was faster."""
    with NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(file.name)


def _inventory(given: Mapping[str, str]) -> Path | None:
    if "WIZARD_INVENTORY" not in given:
        return None
    path = Path(given["WIZARD_INVENTORY"]).expanduser().absolute()
    if not path.is_file():
        raise BadSetting(f"WIZARD_INVENTORY: there is no file {path}.")
    return path


def _networks(given: Mapping[str, str]) -> tuple[Network, ...]:
    if "WIZARD_ALLOWED_NETWORKS" not in given:
        return EVERYTHING
    return tuple(_network(text.strip()) for text in given["WIZARD_ALLOWED_NETWORKS"].split(","))


def _proxies(given: Mapping[str, str]) -> tuple[Network, ...]:
    """Addresses or networks; an address is a network of its own."""
    texts = given["WIZARD_TRUSTED_PROXIES"].split(",") if "WIZARD_TRUSTED_PROXIES" in given else []
    try:
        return tuple(ipaddress.ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise BadSetting(
            f"WIZARD_TRUSTED_PROXIES: {error}; write 10.0.0.5 or 10.0.0.0/24, with commas between."
        ) from None


def _told_url(given: Mapping[str, str]) -> str:
    """Without a slash at the end. The wizard is at the root of its host, so there is no path."""
    url = given.get("WIZARD_URL", "").rstrip("/")
    if url and not re.fullmatch(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", url, re.ASCII | re.IGNORECASE):
        raise BadSetting(f"WIZARD_URL: {url!r} is no address such as https://wizard.example.com, without a path.")
    return url


def _count(name: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
        raise BadSetting(f"{name}: {text} is not a whole number from {least} to {most}.")
    return int(text)


def _network(text: str) -> Network:
    with suppress(ValueError):
        if "/" in text and "%" not in text:
            return ipaddress.ip_network(text)
    raise BadSetting(
        f"WIZARD_ALLOWED_NETWORKS: {text!r} is not a network, such as 10.0.0.0/8; several have commas between them."
    )


def _policy(given: Mapping[str, str]) -> str:
    policy = given.get("WIZARD_IMAGES", SIGNED)
    if policy not in POLICIES:
        raise BadSetting(f"WIZARD_IMAGES: {policy!r} is none of these: {', '.join(POLICIES)}.")
    return policy


def _pinned_images(given: Mapping[str, str]) -> Path | None:
    """The list, when it counts. It is read again at each upload, but what is wrong with it is told at the start."""
    if _policy(given) != PINNED:
        return None
    if "WIZARD_PINNED_IMAGES" not in given:
        raise BadSetting("WIZARD_PINNED_IMAGES: with WIZARD_IMAGES=pinned a file has to be named here.")
    path = Path(given["WIZARD_PINNED_IMAGES"]).expanduser().absolute()
    try:
        read_pins(path.read_text())
    except OSError as error:
        raise BadSetting(f"WIZARD_PINNED_IMAGES: the file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadSetting(f"WIZARD_PINNED_IMAGES: the file {path} is no text.") from None
    except ValueError as error:
        raise BadSetting(f"WIZARD_PINNED_IMAGES: in {path} {str(error)!r} is no SHA-256 of 64 digits.") from None
    return path


def _host(given: Mapping[str, str]) -> str:
    host = given.get("HOST", "127.0.0.1")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise BadSetting(f"HOST: {host} is not an IP address, such as 127.0.0.1, or 0.0.0.0 for all.") from None


def _port(given: Mapping[str, str]) -> int:
    port = given.get("PORT", "8000")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= HIGHEST_PORT):
        raise BadSetting(f"PORT: {port} is not a number from 1 to {HIGHEST_PORT}.")
    return int(port)


def _database(given: Mapping[str, str], data: Path) -> str:
    database = given.get("WIZARD_DATABASE", f"sqlite:///{data / 'wizard.db'}")
    if "://" not in database:
        raise BadSetting(f"WIZARD_DATABASE: {database} is not a URL, such as postgresql+psycopg://host/name.")
    return database
