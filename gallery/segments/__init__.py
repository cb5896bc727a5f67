"""The immutable files that hold what an encoder made of contents."""
