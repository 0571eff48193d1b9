"""What Alembic runs: the migrations, on the connection it is handed."""

from alembic import context
from sqlalchemy import Connection

from hub.store.tables import METADATA

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=METADATA, render_as_batch=True, compare_type=True, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
