"""Requests to servers that are not trusted."""
