"""Azure's door and the project's host for it, over HTTP wherever there is HTTP."""
