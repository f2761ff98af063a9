"""Model packages that travel with the installation; `core.settings.BAKED_MODEL` is this folder. No code."""
