"""A stand-in for the Unsplash API: same protocol, same rate limit, with the project's own pictures."""
