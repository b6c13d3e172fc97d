"""What would stop a deployment, found before it starts: `make preflight`."""
