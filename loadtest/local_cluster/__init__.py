"""Cluster on one machine: PostgreSQL, several servers behind HAProxy, and the demo on top (``make run-cluster``)."""
