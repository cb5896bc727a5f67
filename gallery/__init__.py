"""The images that can be found, and everything that is remembered about them."""
