"""SQLite store: one file, used by one server."""
