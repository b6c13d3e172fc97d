"""Operates a deployment of Calo. Depends on its API and its stacks' outputs, not on its code."""
