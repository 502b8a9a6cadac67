"""HTTP API: routes, request checks, handlers and answers. Decisions about jobs are made in the services."""
