"""Walls that the database keeps by itself, as migration operations for SQLite and PostgreSQL alike."""

from typing import Any

from django.db import migrations


def append_only(table: str) -> migrations.RunPython:
    """Refuses every UPDATE and DELETE of a row; surfaces as IntegrityError on both databases."""

    def build(apps: Any, schema_editor: Any) -> None:
        says = f"{table} is append-only"
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"CREATE FUNCTION {table}_is_append_only() RETURNS trigger AS $$ BEGIN "
                f"RAISE EXCEPTION '{says}' USING ERRCODE = 'integrity_constraint_violation'; END $$ LANGUAGE plpgsql"
            )
            schema_editor.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                f"FOR EACH ROW EXECUTE FUNCTION {table}_is_append_only()"
            )
            return
        for verb in ("update", "delete"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )

    def remove(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {table}_is_append_only() CASCADE")
            return
        for verb in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_no_{verb}")

    return migrations.RunPython(build, remove)


def no_overlap(table: str, *, of: str, live: tuple[str, ...]) -> migrations.RunPython:
    """No two rows of the same `of` whose state is live may overlap in [starts_at, ends_at)."""
    states = ", ".join(f"'{state}'" for state in live)
    says = f"{table} overlaps"

    def build(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_no_overlap EXCLUDE USING gist "
                f"(int8range({of}, {of}, '[]') WITH &&, tstzrange(starts_at, ends_at, '[)') WITH &&) "
                f"WHERE (state IN ({states}))"
            )
            return
        clash = (
            f"SELECT 1 FROM {table} other WHERE other.{of} = NEW.{of} AND other.id IS NOT NEW.id "  # noqa: S608
            f"AND other.state IN ({states}) AND other.starts_at < NEW.ends_at AND NEW.starts_at < other.ends_at"
        )
        for verb in ("INSERT", "UPDATE"):
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_overlap_{verb.lower()} BEFORE {verb} ON {table} "
                f"WHEN NEW.state IN ({states}) AND EXISTS ({clash}) "
                f"BEGIN SELECT RAISE(ABORT, '{says}'); END"
            )

    def remove(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_no_overlap")
            return
        for verb in ("insert", "update"):
            schema_editor.execute(f"DROP TRIGGER {table}_no_overlap_{verb}")

    return migrations.RunPython(build, remove)
