"""The tables of the instance's own database. Each row has a seal over all of it (`rows`). Times in ms since 1970."""

from sqlalchemy import Boolean, CheckConstraint, Column, Integer, LargeBinary, MetaData, String, Table

VERSION = 3
"""Of these tables. A database of another version cannot be read."""

metadata = MetaData()


def _seal() -> Column[str]:
    return Column("seal", String, nullable=False)


instance = Table(
    "instance",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("version", Integer, nullable=False, comment="rises with each write; a write is conditional on it"),
    Column("state", String, nullable=False),
    Column("maximum", Integer, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("entries", String, nullable=False, comment="`rules.instance.Entry` of each asker, as JSON"),
    Column("verified", Integer),
    Column("window_end", Integer),
    Column("others", String, nullable=False, comment="`rows.blend` of the rows of OTHERS, 64 hex digits"),
    Column("alive", Integer, nullable=False),
    Column("clean", Boolean, nullable=False),
    Column("stopped", Integer),
    Column("started", Integer),
    _seal(),
)
"""One row: `rules.instance.Instance`."""

challenges = Table(
    "challenges",
    metadata,
    Column("asker", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("qr", LargeBinary, nullable=False),
    _seal(),
)
"""The bytes of the newest challenge of each asker."""

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
    _seal(),
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
    _seal(),
)
"""The last answer on each channel, so that a message that comes twice is answered again."""

marks = Table(
    "marks",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True),
    Column("now", Integer, nullable=False),
    Column("boottime", Integer, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("doubted", Integer),
    Column("anomaly", Integer),
    Column("jump", Integer, nullable=False),
    _seal(),
)
"""One row: `rules.timeline.Mark`, the last that was kept."""

OTHERS = (challenges, slots, answers, marks)
"""All tables but the instance's own."""
