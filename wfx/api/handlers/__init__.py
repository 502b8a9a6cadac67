"""Handlers of the operations, one module for each noun."""
