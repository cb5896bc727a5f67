"""How candidates are found: exact search, main indexes, what they cover, and how well they find."""
