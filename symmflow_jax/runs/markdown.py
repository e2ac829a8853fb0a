"""Tables in Markdown."""

import re
import statistics
from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table with a header and rows of cells; cells are converted by `str`.

    No content of a cell ends it or its row.
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(str(cell)) for cell in line) + " |" for line in lines)


def escape(name: str) -> str:
    """A name as Markdown that shows it letter by letter; its spaces at the edges are kept."""
    name = re.sub(r"[\\`*<>\[\]~&$#]", r"\\\g<0>", name)
    # Inside of a word an underscore is one.
    name = re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", name)
    name = re.sub(r"[^\S ]|[\x00-\x1f\x7f]", " ", name)
    return re.sub(r"^ +| +$| {2,}", lambda spaces: "&nbsp;" * len(spaces[0]), name)


def mean_and_spread(values: Sequence[float]) -> str:
    """The mean, and the standard deviation of several values, with four decimals."""
    mean = f"{statistics.fmean(values):.4f}"
    return f"{mean} ± {statistics.stdev(values):.4f}" if len(values) > 1 else mean


def _cell(text: str) -> str:
    return " ".join(text.splitlines()).replace("|", "\\|")
