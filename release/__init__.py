"""Programs that make what is published: the Debian package and the lists of what is in it."""
