"""Tests of Google's door."""
