"""The ids that a table has given out, so that rows from elsewhere take none that was given to others."""

from sqlalchemy import Connection, Table, exists, select, text


def offset_for(connection: Connection, table: Table, least: int, greatest: int) -> int:
    """What to add to ids from `least` to `greatest` so that no row has them: 0, or the highest ever given."""
    taken = select(exists().where(table.c.id.between(least, greatest)))
    return highest_given(connection, table) if connection.scalar(taken) else 0


def highest_given(connection: Connection, table: Table) -> int:
    """The highest id that the table ever gave, also to a row that is gone; 0 before the first."""
    if connection.dialect.name == "sqlite":
        statement = text("SELECT seq FROM sqlite_sequence WHERE name = :name").bindparams(name=table.name)
        return connection.scalar(statement) or 0
    sequence = _sequence(connection, table)
    given = text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}")
    return connection.scalar(given) or 0


def count_from(connection: Connection, table: Table, greatest: int) -> None:
    """See to it that the next id is beyond this one, which a row was given by us."""
    if connection.dialect.name == "sqlite":
        return  # AUTOINCREMENT has seen it
    highest = max(greatest, highest_given(connection, table), 1)
    statement = text("SELECT setval(CAST(:sequence AS regclass), :highest)")
    connection.execute(statement, {"sequence": _sequence(connection, table), "highest": highest})


def _sequence(connection: Connection, table: Table) -> str:
    statement = text("SELECT pg_get_serial_sequence(:name, 'id')").bindparams(name=table.name)
    return str(connection.scalar(statement))
