"""The plots of the reports, as SVG that is the same for the same numbers."""

import statistics
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "lakefront"
matplotlib.rcParams["font.family"] = "sans-serif"

from matplotlib import pyplot  # noqa: E402

_OURS, _OTHERS = "#1f6feb", "#9aa4b2"


def dots(path: Path, title: str, unit: str, rows: list[tuple[str, list[float]]], ours: str) -> None:
    """One line per name: a bar to the median and a dot for each run, so that the spread is seen as well."""
    rows = [(name, values) for name, values in rows if values]
    figure, axes = pyplot.subplots(figsize=(8, 0.8 + 0.55 * len(rows)), layout="constrained")
    for at, (name, values) in enumerate(reversed(rows)):
        axes.barh(at, statistics.median(values), color=_OURS if name.startswith(ours) else _OTHERS, height=0.55)
        axes.plot(values, [at] * len(values), "o", color="#1b1f24", markersize=4, alpha=0.7)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.set_xlim(left=0)
    axes.set_xlabel(unit)
    axes.set_title(title, loc="left", fontsize=11)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
