"""Plugin host: subprocesses that see every request first and may refuse or rewrite it."""
