"""The vendor's records as a person reads them in a terminal, and as JSON for programs."""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.vendor.office import Record
from wizard.licensing.vendor.rules import CHALLENGES_A_DAY, Alarm, Answer, Refusal

KINDS = {
    Refusal.CLONED: "the same counter twice: a copy, or a rollback",
    Refusal.ROLLED_BACK: "a lower counter, made later: a rollback",
}
"""What each alarm shows."""

LICENCE_COLUMNS = ("LICENCE", "ISSUED", "STATE", "INSTALLATION", "CODES", "ALARMS", "REGISTRATIONS", "FOR")
ALARM_COLUMNS = ("WHEN", "LICENCE", "COUNTER", "INSTALLATION", "WHAT", "SEEN")
ANSWER_COLUMNS = ("WHEN", "COUNTER", "INSTALLATION", "DECISION")


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def licence_row(record: Record) -> tuple[str, ...]:
    licence, claims = record.licence, record.licence.claims
    unseen = sum(alarm.seen is None for alarm in record.alarms)
    return (
        claims.licence,
        moment(claims.issued_at),
        licence.state,
        installation(licence.instance),
        str(sum(answer.issued for answer in licence.answers)),
        f"{len(record.alarms)} ({unseen} new)" if unseen else str(len(record.alarms)),
        str(claims.registrations),
        f"{claims.company} / {claims.project}",
    )


def alarm_row(licence: str, alarm: Alarm) -> tuple[str, ...]:
    seen = moment(alarm.seen) if alarm.seen else "new"
    return moment(alarm.at), licence, str(alarm.counter), installation(alarm.instance), KINDS[alarm.kind], seen


def answer_row(answer: Answer) -> tuple[str, ...]:
    decision = "issued" if answer.issued else "declined"
    return moment(answer.at), str(answer.counter), installation(answer.instance), decision


def state(record: Record) -> str:
    licence = record.licence
    return f"destroyed on {moment(licence.destroyed)}" if licence.destroyed else str(licence.state)


def installation(instance: bytes | None) -> str:
    """The four words by which people know it."""
    return " ".join(fingerprint_words(instance)) if instance else "none yet"


def facts(record: Record, now: datetime) -> str:
    """What there is to say of one licence, a line each."""
    licence, claims = record.licence, record.licence.claims
    day = f"{len(licence.counted(now))} of {CHALLENGES_A_DAY} challenges in 24 hours"
    found = [
        ("Licence", claims.licence),
        ("Company", claims.company),
        ("Project", claims.project),
        ("Registrations", f"at most {claims.registrations}"),
        ("Issued", moment(claims.issued_at)),
        ("State", state(record)),
        ("Takes over from", claims.supersedes or ""),
        ("Installation", installation(licence.instance)),
        ("Limit of the day", f"{day}; unlocked on {moment(licence.unlocked)}" if licence.unlocked else day),
    ]
    return "\n".join(f"{name:16}  {text}" for name, text in found if text)


def document(record: Record) -> dict[str, object]:
    """All of it for programs. Times are ISO 8601 in UTC, to the second."""
    licence, claims = record.licence, record.licence.claims
    return {
        "licence": claims.licence,
        "company": claims.company,
        "project": claims.project,
        "registrations": claims.registrations,
        "issued": claims.issued,
        "supersedes": claims.supersedes,
        "state": licence.state,
        "destroyed": _iso(licence.destroyed),
        "unlocked": _iso(licence.unlocked),
        "instance": licence.instance.hex() if licence.instance else None,
        "answers": [
            {
                "at": _iso(answer.at),
                "counter": answer.counter,
                "instance": answer.instance.hex(),
                "issued": answer.issued,
            }
            for answer in licence.answers
        ],
        "alarms": [alarm_document(claims.licence, alarm) for alarm in record.alarms],
    }


def alarm_document(licence: str, alarm: Alarm) -> dict[str, object]:
    return {
        "at": _iso(alarm.at),
        "licence": licence,
        "counter": alarm.counter,
        "instance": alarm.instance.hex(),
        "kind": alarm.kind,
        "seen": _iso(alarm.seen),
    }


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines with their columns one beneath the other, also where Chinese takes two places a character."""
    lines = [columns, *rows]
    widths = [max(_width(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(text + " " * (width - _width(text)) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _iso(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None
