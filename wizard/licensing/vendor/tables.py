"""The tables of the vendor's records, and how an earlier version's become these."""

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    inspect,
)

from wizard.licensing.vendor.errors import VendorError

TIME = "milliseconds since 1970, UTC"

metadata = MetaData()

licences = Table(
    "licences",
    metadata,
    Column("licence", String, primary_key=True),
    Column("envelope", LargeBinary, nullable=False),
    Column("state", String, nullable=False),
    Column("instance", LargeBinary, index=True),
    Column("destroyed", Integer, comment=TIME),
    Column("unlocked", Integer, comment=TIME),
)

answers = Table(
    "answers",
    metadata,
    Column("digest", String, primary_key=True),
    Column("licence", ForeignKey("licences.licence"), nullable=False, index=True),
    Column("instance", LargeBinary, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("issued", Boolean, nullable=False),
    Column("at", Integer, nullable=False, comment=TIME),
    Column("minute", Integer, comment="the QR's, since 1970 by the instance's clock; none in version 0"),
    Index("one_answer_a_counter", "licence", "instance", "counter", unique=True),
)

alarms = Table(
    "alarms",
    metadata,
    Column("digest", String, primary_key=True),
    Column("licence", ForeignKey("licences.licence"), nullable=False, index=True),
    Column("instance", LargeBinary, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("at", Integer, nullable=False, comment=TIME),
    Column("kind", String, nullable=False, server_default="cloned"),
    Column("seen", Integer, comment=TIME),
)

UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE licences ADD COLUMN destroyed INTEGER",
        "ALTER TABLE licences ADD COLUMN unlocked INTEGER",
        "ALTER TABLE answers ADD COLUMN minute INTEGER",
        "ALTER TABLE alarms ADD COLUMN kind VARCHAR NOT NULL DEFAULT 'cloned'",
        "ALTER TABLE alarms ADD COLUMN seen INTEGER",
    ),
)
"""What makes each version the next one. A database says its version in `PRAGMA user_version`."""
VERSION = len(UPGRADES)


def prepare_tables(connection: Connection) -> None:
    """Make the tables, or bring them up to date; all of it in the transaction of the connection."""
    version: int = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    if version > VERSION:
        raise VendorError(
            f"The vendor's records were written by a later version of this software ({version}, not {VERSION}).",
            "Use that version, or another data folder ($VENDOR_DATA).",
        )
    if inspect(connection).has_table(licences.name):
        for statement in (statement for upgrade in UPGRADES[version:] for statement in upgrade):
            connection.exec_driver_sql(statement)
    else:
        metadata.create_all(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
