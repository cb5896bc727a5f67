"""The history of the schema, run by Alembic; ships with the packages."""
