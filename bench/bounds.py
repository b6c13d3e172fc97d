"""Drive each bound of memory to its limit, and print what is used then and what the size in AWS is."""

from bench import relay_bounds, worker_bounds


def measure() -> None:
    """Measure each component and print its table."""
    relay_bounds.measure()
    worker_bounds.measure()
