"""How deployed containers were last seen."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("registration_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("registration_id", name="pk_inspections"),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name="fk_inspections_registration_id"),
    )
