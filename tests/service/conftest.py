"""Stores of each kind, as the tests of the contract have them."""

from __future__ import annotations

from tests.store.conftest import backend, clock, flow, store, timed

__all__ = ["backend", "clock", "flow", "store", "timed"]
