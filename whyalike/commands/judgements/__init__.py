"""The verbs of `whyalike judgements`, a module each."""
