"""What a run sees of its sources, and what that changes."""
