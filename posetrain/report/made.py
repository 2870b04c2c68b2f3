"""A report, before it is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE_NAME = "report.html"


@dataclass(frozen=True, eq=False)
class Report:
    """What came of runs.

    Attributes:
        files: name -> content; the page, `PAGE_NAME`, needs none of the others.
        told: its figures, for JSON.
        rows: the same in short, as rows of a table.
        left_out: runs of which no epoch is finished.
    """

    files: Mapping[str, bytes]
    told: Mapping[str, Any]
    rows: Sequence[tuple[object, ...]]
    left_out: Sequence[Path]
