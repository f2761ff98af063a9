"""What is left when processes are killed and connections are cut at any moment."""
