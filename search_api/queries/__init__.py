"""What is asked with, from a picture to its embedding."""
