"""The fleet: revocation, certificates, claim codes, alerts, commands, twins, roll-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the fleet's tables; a room may have had devices that are revoked now."""
    with op.batch_alter_table("device") as device:
        device.add_column(sa.Column("machine", sa.String(length=64), nullable=False, server_default=""))
        device.add_column(sa.Column("revoked", sa.Float(), nullable=True))
        device.drop_constraint(op.f("uq_device_room"), type_="unique")
        device.create_index("ix_device_room", ["room"])
    with op.batch_alter_table("device") as device:
        device.alter_column("machine", server_default=None)
    op.create_table(
        "certificate",
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("issued", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("revoked", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_certificate")),
    )
    op.create_index("ix_certificate_device", "certificate", ["device"])
    op.create_table(
        "claim",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("room", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("created", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("needs_confirming", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Float(), nullable=True),
        sa.Column("used", sa.Float(), nullable=True),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_claim")),
    )
    op.create_index("ix_claim_room", "claim", ["room"])
    op.create_table(
        "alert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("raised", sa.Float(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("cleared", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
    )
    op.create_index("ix_alert_device_alert_kind", "alert", ["device", "kind"])
    op.create_table(
        "command",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("issued", sa.Float(), nullable=False),
        sa.Column("expires", sa.Float(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("finished", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_command")),
    )
    op.create_index("ix_command_device_command_issued", "command", ["device", "issued"])
    op.create_index("ix_command_state", "command", ["state"])
    op.create_table(
        "twin",
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("rev", sa.Integer(), nullable=False),
        sa.Column("desired", sa.Text(), nullable=False),
        sa.Column("changed", sa.Float(), nullable=False),
        sa.Column("reported_rev", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("reported", sa.Text(), nullable=True),
        sa.Column("reported_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_twin")),
    )
    for name in ("rollup_minute", "rollup_hour"):
        op.create_table(
            name,
            sa.Column("device", sa.String(length=64), nullable=False),
            sa.Column("kind", sa.String(length=64), nullable=False),
            sa.Column("bucket", sa.BigInteger(), nullable=False),
            sa.Column("rows", sa.Integer(), nullable=False),
            sa.Column("data", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("device", "kind", "bucket", name=f"pk_{name}"),
        )
        op.create_index(f"ix_{name}_bucket", name, ["bucket"])


def downgrade() -> None:
    """Drop the fleet's tables; fails where a room has had two devices."""
    for name in ("rollup_hour", "rollup_minute"):
        op.drop_index(f"ix_{name}_bucket", name)
        op.drop_table(name)
    op.drop_table("twin")
    op.drop_index("ix_command_state", "command")
    op.drop_index("ix_command_device_command_issued", "command")
    op.drop_table("command")
    op.drop_index("ix_alert_device_alert_kind", "alert")
    op.drop_table("alert")
    op.drop_index("ix_claim_room", "claim")
    op.drop_table("claim")
    op.drop_index("ix_certificate_device", "certificate")
    op.drop_table("certificate")
    with op.batch_alter_table("device") as device:
        device.drop_index("ix_device_room")
        device.create_unique_constraint(op.f("uq_device_room"), ["room"])
        device.drop_column("revoked")
        device.drop_column("machine")
