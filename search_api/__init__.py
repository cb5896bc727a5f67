"""Answers a query with matches and their evidence, over HTTP and in plain Python."""
