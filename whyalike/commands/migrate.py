"""`whyalike migrate`: the database, brought to this version's schema."""


def migrate() -> None:
    """Bring the database to the schema of this version; every other verb does so by itself."""
    from whyalike import home
    from whyalike.console import say
    from whyalike.settings import read_settings

    settings = read_settings()
    home.migrate(settings)
    say("The database has the schema of this version.")
