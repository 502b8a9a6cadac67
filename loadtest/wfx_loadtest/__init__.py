"""wfx-loadtest puts a wfx service under load at a constant rate and says honestly how it did."""
