"""Serving: bytes of a picture in, a calibrated answer out. Knows no cloud, no web framework and no training tool."""

__version__ = "0.1.0"
