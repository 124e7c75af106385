"""What changes while a stage trains: one callback a file."""
