"""PostgreSQL store: one database, shared by several servers."""
