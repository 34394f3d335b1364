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
)

links = Table(
    "links",
    metadata,
    Column("token_hash", String(128), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
)
