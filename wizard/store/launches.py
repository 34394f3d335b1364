"""Launch tokens that were used."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from wizard.store.engine import open_engine
from wizard.store.tables import launches


class SqlLaunches:
    """ports.Launches on any database that SQLAlchemy speaks to; `url` is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)

    def use(self, issuer: str, jti: str, now: datetime, expires_at: datetime) -> bool:
        """The key of the table is the condition: of several at once, one comes in."""
        try:
            with self._engine.begin() as db:
                db.execute(insert(launches).values(digest=_digest(issuer, jti), expires_at=expires_at))
        except IntegrityError:
            return False
        with self._engine.begin() as db:
            db.execute(delete(launches).where(launches.c.expires_at < now))
        return True

    def close(self) -> None:
        self._engine.dispose()


def _digest(issuer: str, jti: str) -> str:
    """Of both, so that two issuers can choose the same one; of fixed length, whatever they chose."""
    return sha256(f"{len(issuer)}:{issuer}{jti}".encode()).hexdigest()
