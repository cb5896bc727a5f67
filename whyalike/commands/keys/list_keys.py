"""`whyalike keys list`: every key that was made, without what opens anything."""

from whyalike.options import Json


def list_keys(json: Json = False) -> None:
    """List the keys: their ids, names, scopes, when they were used last and until when they are good."""
    from gallery.access.keys import Keys
    from whyalike.home import open_records
    from whyalike.key_tables import ListedKeys, print_keys
    from whyalike.settings import read_settings
    from whyalike.tables import print_json

    found = Keys(open_records(read_settings())).all()
    print_json(ListedKeys.of(found)) if json else print_keys(found)
