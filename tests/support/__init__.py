"""Builders that the tests share: pictures, model packages, requests."""
