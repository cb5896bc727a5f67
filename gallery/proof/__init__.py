"""The proof that a gallery is whole, and mending it where it is not."""
