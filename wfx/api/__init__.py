"""HTTP in and out: what a request means, and how an answer looks. Decisions are made further inside."""
