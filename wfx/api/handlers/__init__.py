"""Handlers, one noun each, three steps each: read, call, write."""
