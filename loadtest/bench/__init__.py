"""Measures the service beside a yardstick: a bare Starlette app that answers the same bytes on the same engine."""
