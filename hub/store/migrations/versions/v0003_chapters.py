"""Chapters of lessons, derived or edited."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of chapters."""
    op.create_table(
        "chapter_list",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("editor", sa.String(length=64), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_chapter_list_session"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_chapter_list")),
    )
    op.create_table(
        "chapter",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("start", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("sought", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session"], ["chapter_list.session"], name=op.f("fk_chapter_session"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("session", "position", name=op.f("pk_chapter")),
    )


def downgrade() -> None:
    """Drop them; what was edited is lost."""
    op.drop_table("chapter")
    op.drop_table("chapter_list")
