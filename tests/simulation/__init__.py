"""Deterministic simulation: every fault at every moment, replayed from a seed (docs/reliability.md)."""
