"""Reactions: carries out rules on events of the log and on those from outside (``docs/rules.md``)."""
