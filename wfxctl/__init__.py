"""wfxctl drives a wfx service from a terminal."""
