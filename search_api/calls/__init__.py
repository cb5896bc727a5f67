"""The requests of the client, as values."""
