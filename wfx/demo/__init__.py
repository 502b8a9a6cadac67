"""A whole update in a minute: a server, an operator, and a simulated device that also serves as an example client."""
