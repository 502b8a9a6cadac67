"""A store of each kind for the rules to work on."""

from tests.store.conftest import backend, clock, flow, lasting, store

__all__ = ["backend", "clock", "flow", "lasting", "store"]
