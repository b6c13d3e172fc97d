"""A stand-in for the Unsplash API: same protocol, same rate limit, photos that it draws itself."""
