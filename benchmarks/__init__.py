"""Measures this project and its peers side by side; what is claimed of speed, a benchmark checks."""
