"""Long work that is asked for as a row, and done by a worker, wherever it runs."""
