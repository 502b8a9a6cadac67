"""Redis: keeps buckets that servers share, and nothing else."""
