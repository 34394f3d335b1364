"""What the vendor's people do: issue licence images, and decide about scans."""

import hashlib
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from wizard.licensing.protocol.claims import ISSUED_FORMAT, Claims, read_claims, sign_claims
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
from wizard.licensing.vendor.base import Base, open_base
from wizard.licensing.vendor.image import Archive, layers_of, personalize
from wizard.licensing.vendor.keys import VendorKeys, open_keys
from wizard.licensing.vendor.rules import Answer, Licence, Refusal, Refused, Scan
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
        self._store = store

    def issue(self, order: Order, now: datetime) -> Archive:
        """A new licence, on record, and its image. ClaimsError when the order cannot be put into claims."""
        base = self.base()
        claims = self._claims(order, base, now)
        envelope = sign_claims(claims, self.keys.signing)
        read_claims(envelope, self.keys.public)
        with self._store.transaction() as ledger:
            ledger.add(claims.licence, envelope)
        log.info("issued licence %s to %s", claims.licence, claims.company)
        return personalize(base, claims, envelope)

    def licences(self) -> list[tuple[Licence, int]]:
        """All licences, the newest last, each with the number of its alarms."""
        with self._store.transaction() as ledger:
            return [(licence, ledger.alarms(licence.claims.licence)) for licence in ledger.licences()]

    def look(self, text: str, now: datetime) -> Case:
        """The case behind the address in a QR; Refused when there is to be no code. Decides nothing."""
        genuine = self._genuine(text)
        with self._store.transaction() as ledger:
            licence, scan, refused = self._judge(ledger, genuine, now)
        if refused:
            raise refused
        return _case(licence, genuine, scan)

    def decide(self, text: str, *, issue: bool, now: datetime) -> Case:
        """Issue or decline the code. The first decision about a QR stands, whoever asks again."""
        genuine = self._genuine(text)
        with self._store.transaction() as ledger:
            licence, scan, refused = self._judge(ledger, genuine, now)
            if refused is None:
                licence = licence.answered(scan, issued=issue, now=now)
                ledger.update(licence)
                self._retire_predecessor(ledger, licence)
        if refused:
            raise refused
        return _case(licence, genuine, scan)

    def close(self) -> None:
        self._store.close()

    def _claims(self, order: Order, base: Base, now: datetime) -> Claims:
        return Claims(
            licence=secrets.token_hex(8),
            company=order.company,
            project=order.project,
            registrations=order.registrations,
            architecture=base.architecture,
            layers=layers_of(base),
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
            keys = derive_keys(
                self.keys.activation,
                body.instance_key,
                licence=body.licence,
                kid=body.kid,
                instance_key=body.instance_key,
            )
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
            held=ledger.holder(genuine.body.instance_key),
        )
        try:
            licence.check(scan, now)
        except Refused as refused:
            if refused.refusal is Refusal.CLONED and ledger.alarm(licence, scan, now):
                log.warning(
                    "licence %s: counter %d came twice, a clone or a rollback", genuine.body.licence, scan.counter
                )
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
