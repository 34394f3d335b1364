"""The tables. What is looked for has a column of its own; the rest of a value is its JSON document."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware UTC time, to the microsecond, as a number: it sorts, and is the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else EPOCH + value * MICROSECOND


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

registrations = Table(
    "registrations",
    metadata,
    Column("number", Integer, primary_key=True),  # the order in which they were made
    Column("id", String(64), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),  # rises with each write, where `version` rises with each save
    Column("document", Text, nullable=False),
    Column("observed", Text),
    Column("discarded", Text, nullable=False),
)

operations = Table(
    "operations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("registration_id", String(64), ForeignKey("registrations.id"), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("abort", Boolean, nullable=False),
    Column("owner", String(255)),
    Column("lease_until", Moment),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

is_active = text("state IN ('queued', 'running')")

Index(
    "one_active_operation",
    operations.c.registration_id,
    unique=True,
    sqlite_where=is_active,
    postgresql_where=is_active,
)
Index("operations_of_registration", operations.c.registration_id, operations.c.number)

healths = Table(
    "healths",
    metadata,
    Column("node", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

inspections = Table(
    "inspections",
    metadata,
    Column("registration_id", String(64), ForeignKey("registrations.id"), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String(255), nullable=False, unique=True),
    Column("password_hash", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("role", String(16), nullable=False),
    Column("signed_in_at", Moment),
    Column("removed_at", Moment),  # the row stays, so that nobody else's sessions or acts are taken for theirs
)

invitations = Table(
    "invitations",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("token_hash", String(128), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
)

tries = Table(
    "tries",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Moment, nullable=False),
)

Index("tries_by_age", tries.c.last_at)

ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("until", Moment, nullable=False),
)

links = Table(
    "links",
    metadata,
    Column("token_hash", String(128), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)

turns = Table(
    "turns",
    metadata,
    Column("registration_id", String(64), ForeignKey("registrations.id"), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("person", String(255), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("since", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("before_person", String(255)),
    Column("before_browser", String(64)),
    Column("taken_over", Boolean, nullable=False),
)

observer_links = Table(
    "observer_links",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("token_hash", String(128), nullable=False, unique=True),
    Column("registration_id", String(64), ForeignKey("registrations.id"), nullable=False),
    Column("made_by", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
)

hand_overs = Table(
    "hand_overs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("token_hash", String(128), nullable=False, unique=True),
    Column("registration_id", String(64), ForeignKey("registrations.id"), nullable=False),
    Column("account", String(255), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("browser", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("taken_at", Moment),
)

launches = Table(
    "launches",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("who", String(255), nullable=False),
    Column("act", String(64), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("registration_id", String(64), nullable=False),  # of what was asked for, whether it exists or not
    Column("document", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_registration_id", "registration_id", "number"),
    Index("ix_audit_who", "who", "number"),
)

audit_end = Table(
    "audit_end",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
)
"""One row, with the newest entry of the trail: who adds to it has a lock on this row."""
