"""Where workflows, jobs, their history and the log of events live. The contract is :mod:`wfx.store.protocol`."""
