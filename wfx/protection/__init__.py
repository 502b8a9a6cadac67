"""Encryption of stored values: a ring of keys, and the form in which values are sealed by them."""
