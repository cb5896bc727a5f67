"""The verbs of `whyalike keys`, a module each."""
