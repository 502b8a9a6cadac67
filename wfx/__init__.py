"""wfx steers jobs on fleets of devices: workflows, jobs, and an ordered log of everything that happens to them."""
