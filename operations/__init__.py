"""What an operator does with a deployment, on this machine or in an account: `python -m operations`."""
