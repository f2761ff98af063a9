"""Azure's door: the Function App, and a small host that runs it where Azure's own host is not to be had."""
