"""Run by Alembic; see wizard.store.migrate, which hands over the connection."""

from alembic import context

from wizard.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
