"""What an operator can set, and where settings come from: defaults, files, environment, command line."""
