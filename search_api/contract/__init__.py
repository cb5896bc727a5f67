"""What the service says of itself in openapi.json."""
