"""Turns folders of pictures into a published gallery."""
