"""Listeners, and the HTTP engines that serve them."""
