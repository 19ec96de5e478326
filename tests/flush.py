"""Lets tests empty an SQLite database whose triggers refuse every DELETE: only the emptying itself goes past them.

PostgreSQL empties tables by TRUNCATE, which row triggers do not see.
"""

from typing import Any

from django.db.backends.sqlite3.base import DatabaseOperations

_plain_flush = DatabaseOperations.sql_flush


def _flush_around_triggers(self: DatabaseOperations, style: Any, tables: Any, **options: Any) -> list[str]:
    with self.connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
    without = [f"DROP TRIGGER {name}" for name, _ in triggers]
    return [*without, *_plain_flush(self, style, tables, **options), *(sql for _, sql in triggers)]


def install() -> None:
    DatabaseOperations.sql_flush = _flush_around_triggers  # type: ignore[method-assign]
