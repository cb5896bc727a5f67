"""Turns sources of pictures into a published gallery."""
