"""Fetching from servers that are not trusted."""
