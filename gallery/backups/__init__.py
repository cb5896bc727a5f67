"""A gallery as one file, and back."""
