"""The tables: what the database remembers of galleries, images and builds."""
