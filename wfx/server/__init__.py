"""Listening sockets and the engines that speak HTTP on them."""
