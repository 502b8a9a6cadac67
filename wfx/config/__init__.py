"""Options of the server."""
