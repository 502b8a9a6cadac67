"""Stores of workflows, jobs, histories and the log. The contract is :mod:`wfx.store.protocol`."""
