"""Who may ask the service: keys, and the sessions that are opened with them."""
