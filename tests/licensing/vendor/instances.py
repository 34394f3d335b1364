"""What the vendor's tests need of the other side: an instance that makes QR codes, and an office with a small base."""

import hashlib
import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from wizard.licensing.protocol.claims import CLAIMS_LABEL, Claims, read_claims
from wizard.licensing.protocol.config import write_private_config
from wizard.licensing.protocol.messages import Retirement, seal_message
from wizard.licensing.protocol.qr import ChallengeBody, Keys, Reason, code, derive_keys, seal, to_path
from wizard.licensing.vendor.image import Archive
from wizard.licensing.vendor.keys import open_keys
from wizard.licensing.vendor.layers import Base, Layer
from wizard.licensing.vendor.office import Office, Order
from wizard.licensing.vendor.store import Store

NOW = datetime(2026, 11, 24, 14, 2, 20, tzinfo=UTC)
ORDER = Order(
    company="Example <Co> Ltd", project="Sales & Reports", registrations=2, activation="http://127.0.0.1:8001"
)


class Instance:
    """An authorization application as far as the vendor ever sees it. `counter` is the next challenge's."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims
        self.counter = 1
        self._private = X25519PrivateKey.generate()
        self._signing = Ed25519PrivateKey.generate()
        self._nonces = itertools.count()

    @property
    def key(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def under(self, claims: Claims) -> "Instance":
        """The same instance, started with another licence's image."""
        self.claims = claims
        return self

    def challenge(self, *, reason: Reason = Reason.FIRST, at: datetime = NOW) -> bytes:
        """The bytes of a new QR."""
        body = ChallengeBody(
            kid=self.claims.kid,
            licence=self.claims.licence,
            instance_key=self.key,
            build=self.claims.build,
            counter=self.counter,
            nonce=hashlib.sha256(f"{id(self)} {next(self._nonces)}".encode()).digest()[:16],
            minute=int(at.timestamp()) // 60,
            reason=reason,
        )
        self.counter += 1
        return seal(body, self._keys())

    def scan(self, *, reason: Reason = Reason.FIRST, at: datetime = NOW) -> str:
        """The last part of the address in a new QR."""
        return to_path(self.challenge(reason=reason, at=at))

    def code(self, qr: bytes) -> str:
        """The digits that this instance would accept for the QR."""
        return code(self._keys(), qr)

    def private_config(self, *, retired: bool = False) -> bytes:
        """The file in its /app/config; `retired` after it has ended itself."""
        statement = Retirement(instance=self.key.hex(), licence=self.claims.licence, counter=self.counter, retired=0)
        return write_private_config(
            self.claims,
            instance=self.key,
            signing=self._signing.public_key().public_bytes_raw(),
            keys=self._keys(),
            retirement=seal_message(statement, self._signing) if retired else None,
        )

    def _keys(self) -> Keys:
        return derive_keys(
            self._private,
            bytes.fromhex(self.claims.vendor_key),
            licence=self.claims.licence,
            kid=self.claims.kid,
            instance_key=self.key,
        )


def small_base(folder: Path) -> Base:
    """A base of a few bytes, for tests that do not care what is in it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "small.tar"
    path.write_bytes(bytes(10240))
    layer = Layer(f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}", 10240, path=path)
    config = {"User": "65532:65532", "Entrypoint": ["/a/program"]}
    return Base(layers=(layer,), architecture="amd64", config=config, origin="a few bytes")


def small_office(data: Path) -> Office:
    keys = open_keys(data)
    return Office(keys, Store(data / "vendor.db", keys.public), lambda: small_base(data / "small"))


def issued(office: Office, order: Order = ORDER, now: datetime = NOW) -> Claims:
    """Issue a licence, and read its claims from the image's label."""
    return read_claims(envelope_of(office.issue(order, now).archive), office.keys.public)


def envelope_of(archive: Archive) -> bytes:
    for member in archive.members:
        if member.content.startswith(b'{"architecture"'):
            label: str = json.loads(member.content)["config"]["Labels"][CLAIMS_LABEL]
            return label.encode()
    raise AssertionError("the archive has no configuration")
