"""Reactions: rules at work on the events of the log, and what comes of it (``docs/rules.md``)."""
