"""How a refusal looks over HTTP."""
