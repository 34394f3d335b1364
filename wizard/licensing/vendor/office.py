"""What the vendor's people do: issue licence images, and decide about scans."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wizard.licensing.protocol.claims import ISSUED_FORMAT, Claims, read_claims, sign_claims
from wizard.licensing.protocol.config import PrivateConfig
from wizard.licensing.protocol.qr import (
    ChallengeBody,
    Keys,
    QrError,
    check_tag,
    code,
    derive_keys,
    from_path,
    unpack,
)
from wizard.licensing.vendor.base import open_base
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.image import Archive, layers_of, personalize, settings_of
from wizard.licensing.vendor.keys import VendorKeys, open_keys
from wizard.licensing.vendor.layers import Base
from wizard.licensing.vendor.reissue import check_reissue
from wizard.licensing.vendor.rules import ALARMING, Alarm, Answer, Licence, Refusal, Refused, Scan
from wizard.licensing.vendor.store import Ledger, Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a customer ordered (R1). `activation` is the base URL of the activation page."""

    company: str
    project: str
    registrations: int
    activation: str
    supersedes: str | None = None


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a licence that takes over says otherwise than the older one; None where it says the same."""

    company: str | None = None
    project: str | None = None
    registrations: int | None = None


@dataclass(frozen=True)
class Issued:
    """A licence on record, and its image, still to be written."""

    claims: Claims
    archive: Archive


@dataclass(frozen=True)
class Record:
    """A licence, and the alarms that it has raised."""

    licence: Licence
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One scan, as the person in front of the activation page sees it."""

    licence: Licence
    body: ChallengeBody
    answer: Answer | None
    """None while nothing is decided."""
    code: str | None
    """The six digits, once they were issued."""


@dataclass(frozen=True)
class Genuine:
    """A QR whose tag is right."""

    body: ChallengeBody
    keys: Keys
    qr: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.qr).hexdigest()


class Office:
    """The vendor with its keys, its records and its images. `base` gives the common base when one is needed."""

    def __init__(self, keys: VendorKeys, store: Store, base: Callable[[], Base]) -> None:
        self.keys = keys
        self.base = base
        self.store = store

    def issue(self, order: Order, now: datetime) -> Issued:
        """A new licence, on record, and its image. ClaimsError when the order cannot be put into claims."""
        base = self.base()
        with self.store.transaction() as ledger:
            return self._issue(ledger, order, base, now)

    def reissue(self, config: PrivateConfig, changes: Changes, activation: str, now: datetime) -> Issued:
        """A licence that takes over from the one in privateConfig, which has ended (R13). ReissueError when it may not.

        What the instance itself has ended is ended here as well, so that no copy of it gets a code.
        """
        base = self.base()
        with self.store.transaction() as ledger:
            old = check_reissue(config, ledger.licence(config.licence), self._shared(config), ledger.licences())
            if config.is_retired:
                ledger.update(old.destroy(now))
            order = Order(
                company=changes.company or old.claims.company,
                project=changes.project or old.claims.project,
                registrations=changes.registrations or old.claims.registrations,
                activation=activation,
                supersedes=old.claims.licence,
            )
            return self._issue(ledger, order, base, now)

    def destroy(self, licence: str, now: datetime) -> Record:
        """End the licence for good (R13): no scan of it gets a code any more. Once more changes nothing."""
        with self.store.transaction() as ledger:
            ledger.update(self._record(ledger, licence).licence.destroy(now))
            return self._record(ledger, licence)

    def unlock(self, licence: str, now: datetime) -> Record:
        """Count the day's challenges anew from now, and acknowledge the alarms."""
        with self.store.transaction() as ledger:
            ledger.update(self._record(ledger, licence).licence.unlock(now))
            ledger.acknowledge(licence, now)
            return self._record(ledger, licence)

    def record(self, licence: str) -> Record:
        """One licence by its 16 hex digits; VendorError when there is none."""
        with self.store.transaction() as ledger:
            return self._record(ledger, licence)

    def records(self) -> list[Record]:
        """All licences, the newest last."""
        with self.store.transaction() as ledger:
            return [Record(licence, ledger.alarms(licence.claims.licence)) for licence in ledger.licences()]

    def look(self, text: str, now: datetime) -> Case:
        """The case behind the address in a QR; Refused when there is to be no code. Decides nothing."""
        genuine = self._genuine(text)
        with self.store.transaction() as ledger:
            licence, scan, refused = self._judge(ledger, genuine, now)
        if refused:
            raise refused
        return _case(licence, genuine, scan)

    def decide(self, text: str, *, issue: bool, now: datetime) -> Case:
        """Issue or decline the code. The first decision about a QR stands, whoever asks again."""
        genuine = self._genuine(text)
        with self.store.transaction() as ledger:
            licence, scan, refused = self._judge(ledger, genuine, now)
            if refused is None:
                licence = licence.answered(scan, issued=issue, now=now)
                ledger.update(licence)
                self._retire_predecessor(ledger, licence)
        if refused:
            raise refused
        return _case(licence, genuine, scan)

    def close(self) -> None:
        self.store.close()

    def _issue(self, ledger: Ledger, order: Order, base: Base, now: datetime) -> Issued:
        claims = self._claims(order, base, now)
        envelope = sign_claims(claims, self.keys.signing)
        read_claims(envelope, self.keys.public)
        ledger.add(claims.licence, envelope)
        log.info("issued licence %s to %s", claims.licence, claims.company)
        return Issued(claims, personalize(base, claims, envelope))

    def _record(self, ledger: Ledger, licence: str) -> Record:
        found = ledger.licence(licence)
        if found is None:
            raise VendorError(f"There is no licence {licence}.", "See which there are: vendor list")
        return Record(found, ledger.alarms(licence))

    def _shared(self, config: PrivateConfig) -> Keys | None:
        """What only the instance in privateConfig and the vendor know."""
        instance = bytes.fromhex(config.instance)
        try:
            return self._agree(instance, config.licence)
        except QrError:
            return None

    def _agree(self, instance: bytes, licence: str) -> Keys:
        return derive_keys(
            self.keys.activation, instance, licence=licence, kid=self.keys.kid, instance_key=instance
        )  # fmt: skip

    def _claims(self, order: Order, base: Base, now: datetime) -> Claims:
        return Claims(
            licence=secrets.token_hex(8),
            company=order.company,
            project=order.project,
            registrations=order.registrations,
            architecture=base.architecture,
            layers=layers_of(base),
            settings=settings_of(base),
            supersedes=order.supersedes,
            issued=now.strftime(ISSUED_FORMAT),
            kid=self.keys.kid,
            activation=order.activation,
            vendor_key=self.keys.activation_public,
        )

    def _genuine(self, text: str) -> Genuine:
        try:
            qr = from_path(text)
            body = unpack(qr)
        except QrError:
            raise Refused(Refusal.MALFORMED) from None
        if body.kid != self.keys.kid:
            raise Refused(Refusal.UNKNOWN)
        try:
            keys = self._agree(body.instance_key, body.licence)
        except QrError:
            raise Refused(Refusal.FORGED) from None
        if not check_tag(qr, keys):
            raise Refused(Refusal.FORGED)
        return Genuine(body, keys, qr)

    def _judge(self, ledger: Ledger, genuine: Genuine, now: datetime) -> tuple[Licence, Scan, Refused | None]:
        """What the rules say. A refusal is returned, not raised, so that the alarm it may raise is kept."""
        licence = ledger.licence(genuine.body.licence)
        if licence is None:
            raise Refused(Refusal.UNKNOWN)
        scan = Scan(
            digest=genuine.digest,
            instance=genuine.body.instance_key,
            counter=genuine.body.counter,
            minute=genuine.body.minute,
            held=ledger.holder(genuine.body.instance_key),
        )
        try:
            licence.check(scan, now)
        except Refused as refused:
            if refused.refusal in ALARMING and ledger.alarm(licence, scan, refused.refusal, now):
                log.warning("licence %s, counter %d: %s", genuine.body.licence, scan.counter, refused.refusal)
            return licence, scan, refused
        return licence, scan, None

    def _retire_predecessor(self, ledger: Ledger, licence: Licence) -> None:
        """Two licences for one contract are never active at a time."""
        if licence.instance is None or licence.claims.supersedes is None:
            return
        if predecessor := ledger.licence(licence.claims.supersedes):
            ledger.update(predecessor.superseded())


def open_office(data: Path) -> Office:
    """The office of that data folder; keys and database are made when there are none yet."""
    keys = open_keys(data)
    store = Store(data / "vendor.db", keys.public)
    return Office(keys, store, lambda: open_base(data, keys.public_file))


def _case(licence: Licence, genuine: Genuine, scan: Scan) -> Case:
    answer = licence.answer_to(scan)
    issued = answer is not None and answer.issued
    return Case(
        licence=licence,
        body=genuine.body,
        answer=answer,
        code=code(genuine.keys, genuine.qr) if issued else None,
    )
