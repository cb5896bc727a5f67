"""Attributes of images, and conditions on them."""
