"""Where images come from: folders, tables, lists, shards and storage elsewhere, each read as found files."""
