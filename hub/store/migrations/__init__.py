"""Migrations, run by `hub.store.migrate`; there is no alembic.ini."""
