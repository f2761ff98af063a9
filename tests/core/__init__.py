"""`core`, module by module."""
