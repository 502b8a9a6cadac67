"""Demo: a service, an operator, and a simulated device that also serves as an example client."""
