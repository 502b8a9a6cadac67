"""Domain model: workflows, jobs, decisions and events. No I/O, no async, no clock."""
