"""The JSON contract, piece by piece."""
