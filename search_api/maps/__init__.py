"""A gallery as a map to wander in."""
