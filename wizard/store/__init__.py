"""Where registrations, operations and accounts are kept: SQLAlchemy Core on SQLite, or PostgreSQL by another URL."""

from wizard.store.accounts import SqlAccounts
from wizard.store.migrate import migrate
from wizard.store.sql import SqlStore

__all__ = ["SqlAccounts", "SqlStore", "migrate"]
