"""`whyalike gallery VERB`: one module for each verb."""
