"""The door to the terminal: `pneumonia …`."""
