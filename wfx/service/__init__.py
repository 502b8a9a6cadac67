"""Use cases, one module for each noun: make a decision, pass it to the store."""
