"""Who is at work on a registration, and its links: for observers, and for going on in another browser."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("registration_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("person", sa.String(255), nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("before_person", sa.String(255)),
        sa.Column("before_browser", sa.String(64)),
        sa.Column("taken_over", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("registration_id", name="pk_turns"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_turns_registration_id"),
    )
    op.create_table(
        "observer_links",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(128), nullable=False),
        sa.Column("registration_id", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(255), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_observer_links"),
        sa.UniqueConstraint("id", name="uq_observer_links_id"),
        sa.UniqueConstraint("token_hash", name="uq_observer_links_token_hash"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_observer_links_registration_id"),
    )
    op.create_table(
        "hand_overs",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(128), nullable=False),
        sa.Column("registration_id", sa.String(64), nullable=False),
        sa.Column("account", sa.String(255), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("browser", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("taken_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("number", name="pk_hand_overs"),
        sa.UniqueConstraint("id", name="uq_hand_overs_id"),
        sa.UniqueConstraint("token_hash", name="uq_hand_overs_token_hash"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_hand_overs_registration_id"),
    )
