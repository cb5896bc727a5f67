"""Why two images are near or far, and the pictures that show it."""
