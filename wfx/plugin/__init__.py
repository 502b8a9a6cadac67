"""Plugins: programs of the operator's choice that see every request first and may refuse or rewrite it."""
