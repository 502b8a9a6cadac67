"""Worker processes: several that serve on the same addresses, started and watched by one parent (``--workers``)."""
