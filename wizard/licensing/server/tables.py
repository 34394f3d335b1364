"""The tables of the instance's own database."""

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, LargeBinary, MetaData, String, Table

metadata = MetaData()

instance = Table(
    "instance",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("version", Integer, nullable=False, comment="rises with each write; a write is conditional on it"),
    Column("state", String, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("challenge", String),
    Column("challenge_created", Integer),
    Column("consumed", String),
    Column("wrong", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("locked_until", Integer),
    Column("verified", Integer),
    Column("window_end", Integer),
    Column("alive", Integer, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("stopped", Integer),
    Column("started", Integer),
)
"""One row: `rules.instance.Instance`. Times in milliseconds since 1970."""

challenges = Table(
    "challenges",
    metadata,
    Column("id", String, primary_key=True),
    Column("qr", LargeBinary, nullable=False),
)
"""The bytes of the open challenge; never more than one row."""

slots = Table(
    "slots",
    metadata,
    Column("project", String, primary_key=True),
    Column("node", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("state", String, nullable=False),
    Column("registered", Integer, nullable=False),
    Column("last", Integer),
    Column("reason", String),
    Column("healing", Boolean, nullable=False),
)
"""`rules.instance.Slot`."""

answers = Table(
    "answers",
    metadata,
    Column("project", String, primary_key=True),
    Column("channel", String, primary_key=True, comment="the node of a beat; nothing for the project as a whole"),
    Column("sequence", Integer, nullable=False),
    Column("request", String, nullable=False, comment="digest of the message that was answered"),
    Column("answer", String, nullable=False, comment="the signed answer, as JSON"),
)
"""The last answer on each channel, so that a message that comes twice is answered again."""
