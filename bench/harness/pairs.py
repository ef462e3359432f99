"""Ratios taken pair by pair: both halves of a pair ran next to each other in the same round."""

import statistics
from collections.abc import Iterable

from .load_bench import Result


def of(results: Iterable[Result], name: str, rows: int) -> dict[int, Result]:
    """The runs of one contestant at one size, by round."""
    return {result.round: result for result in results if result.contestant == name and result.rows == rows}


def ratios(above: dict[int, Result], below: dict[int, Result], field: str = "seconds") -> list[float]:
    """`above` divided by `below`, one number for each round that has both."""
    return [getattr(above[n], field) / getattr(below[n], field) for n in sorted(above.keys() & below.keys())]


def summary(values: list[float], digits: int = 2) -> str:
    """`median (least to greatest)`."""
    if not values:
        return "not run"
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"
