"""The audit trail as a file for a spreadsheet, and on the command line: `flask --app app audit …`."""

import csv
import getpass
import io
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import click

from wizard.domain.audit import Deed, Entry, Outcome, Sought, Way, word
from wizard.domain.audit_acts import ACTS
from wizard.ports import Trail

log = logging.getLogger(__name__)

COLUMNS = (
    *("number", "at", "who", "way", "address", "act", "what", "outcome", "status", "reason"),
    *("registration", "details", "digest"),
)
FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV Injection)."""
PIECE = 1 << 14
"""Characters of a file that are gathered before they are passed on."""


def lines(entries: Iterator[Entry]) -> Iterator[str]:
    """Pieces of a file as spreadsheets read it (RFC 4180), one row an entry, in constant memory."""
    piece = io.StringIO()
    writer = csv.writer(piece)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([harmless(cell) for cell in cells_of(entry)])
        if piece.tell() > PIECE:
            yield taken(piece)
    yield taken(piece)


def taken(piece: io.StringIO) -> str:
    text = piece.getvalue()
    piece.seek(0)
    piece.truncate()
    return text


def cells_of(entry: Entry) -> tuple[str, ...]:
    """In the order of COLUMNS, and in English whoever asks: what is compared must not depend on the reader."""
    deed = entry.deed
    return (
        str(entry.number),
        iso(deed.at),
        deed.who,
        deed.way,
        deed.address,
        deed.act,
        str(ACTS.get(deed.act, deed.act)),
        deed.outcome,
        str(deed.status or ""),
        str(deed.reason or ""),
        deed.registration,
        "; ".join(f"{name}={value}" for name, value in deed.details.items()),
        entry.digest,
    )


def iso(moment: datetime) -> str:
    """In UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def harmless(cell: str) -> str:
    """With an apostrophe before what would be a formula."""
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def commands(opened: Callable[[], Trail]) -> click.Group:
    """What can be done with the trail in a terminal."""

    @click.group("audit")
    def audit() -> None:
        """The audit trail: who did what, when, from where, with what outcome."""

    @audit.command("verify")
    def verify() -> None:
        """Check the chain from the first entry on; exit status 1 when it is broken."""
        chain = opened().chain()
        click.echo(
            f"The chain is whole: {chain.end.number:,} entries."
            if chain.is_whole
            else f"The chain is broken at entry {chain.broken:,}. Up to the one before it is whole."
        )
        click.echo(f"Digest of entry {chain.end.number:,}: {chain.end.digest}")
        sys.exit(0 if chain.is_whole else 1)

    @audit.command("export")
    def export() -> None:
        """Print all entries as CSV, the newest first."""
        for piece in lines(opened().entries(Sought())):
            click.echo(piece, nl=False)

    return audit


def note(trail: Trail, act: str, now: datetime) -> None:
    """Note what was done in a terminal. What cannot be noted is logged, and stops nothing."""
    try:
        trail.append(Deed(at=now, who=word(user()), way=Way.TERMINAL, act=act, outcome=Outcome.DONE))
    except Exception:
        log.exception("This could not be noted in the audit trail: %s", act)


def user() -> str:
    """The name that the machine knows; nothing where it knows none, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return ""
