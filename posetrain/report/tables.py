"""Tables 1 and 2 of seed 000 from scores, with intervals. Pure."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from posedata.pck import THRESHOLDS
from posedata.skeleton import GROUPS
from posetrain.bootstrap import Interval, difference_intervals, intervals
from posetrain.history import best_epoch
from posetrain.report.collect import Block, Row

COLUMNS = tuple(f"{threshold:g}" for threshold in THRESHOLDS)
JOINT_THRESHOLD = "0.2"


@dataclass(frozen=True)
class Cell:
    """A percent.

    Attributes:
        percent: None = nothing counted.
        interval: 95 %, None = fewer than two videos.
        best: whether it is the highest of its column.
        level: whether it cannot be told from the highest: the interval of their difference holds 0; None = unknown,
            for there are fewer than two videos.
    """

    percent: float | None
    interval: Interval | None = None
    best: bool = False
    level: bool | None = False


@dataclass(frozen=True)
class Line:
    """A row of a table; `cells` by threshold or by joint, `acceleration` in percent of a torso where it is shown."""

    name: str
    note: str
    epoch: int | None
    cells: Mapping[str, Cell]
    acceleration: float | None = None


@dataclass(frozen=True)
class Table:
    """Lines that were scored on the same windows."""

    title: str
    split: str
    columns: Sequence[str]
    lines: Sequence[Line]


def pck_table(block: Block) -> Table:
    """PCK at every threshold (Table 1 of seed 000)."""
    found = [intervals(row.scores.by_video) for row in block.rows]
    marks = {column: _marks(block.rows, column) for column in COLUMNS}
    lines = [
        Line(
            row.name,
            row.note,
            _epoch(row),
            {
                column: Cell(row.scores.pck.get(column), found[number].get(column), *marks[column][number])
                for column in COLUMNS
            },
            None if row.scores.acceleration is None else 100 * row.scores.acceleration,
        )
        for number, row in enumerate(block.rows)
    ]
    return Table(block.title, block.split, COLUMNS, lines)


def joint_table(block: Block) -> Table:
    """PCK@0.2 of every joint that counts (Table 2 of seed 000)."""
    joints = list(block.scores.per_joint)
    lines = [
        Line(row.name, row.note, _epoch(row), {joint: _joint_cell(row, joint) for joint in joints})
        for row in block.rows
    ]
    return Table(block.title, block.split, joints, lines)


def _joint_cell(row: Row, joint: str) -> Cell:
    found = intervals(row.scores.by_video, GROUPS[joint])
    return Cell(row.scores.per_joint[joint][JOINT_THRESHOLD], found.get(JOINT_THRESHOLD))


def _epoch(row: Row) -> int | None:
    return best_epoch(row.trained.history) if row.trained else None


def _marks(rows: Sequence[Row], column: str) -> list[tuple[bool, bool | None]]:
    """For each row whether it is the best, and whether it cannot be told from that; none is where nothing counts."""
    if not any(column in row.scores.pck for row in rows):
        return [(False, False)] * len(rows)
    best = max(rows, key=lambda row: row.scores.pck.get(column, -1.0))
    marks = []
    for row in rows:
        between = difference_intervals(best.scores.by_video, row.scores.by_video).get(column)
        marks.append((row is best, None if between is None else between[0] <= 0))
    return marks


def as_csv(tables: Sequence[Table]) -> str:
    """All lines of tables with the same kind of columns; a percent, its low and its high end for each."""
    columns = list(dict.fromkeys(column for table in tables for column in table.columns))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    ends = [f"{column}{end}" for column in columns for end in ("", "_low", "_high")]
    writer.writerow(["windows", "split", "name", "note", "best_epoch", *ends, "acceleration"])
    for table in tables:
        for line in table.lines:
            numbers = [number for column in columns for number in _numbers(line.cells.get(column))]
            trembles = "" if line.acceleration is None else f"{line.acceleration:.3f}"
            writer.writerow([table.title, table.split, line.name, line.note, line.epoch or "", *numbers, trembles])
    return text.getvalue()


def _numbers(cell: Cell | None) -> list[str]:
    if cell is None or cell.percent is None:
        return ["", "", ""]
    return [f"{cell.percent:.3f}", *(f"{end:.3f}" for end in cell.interval or ())] + [""] * (0 if cell.interval else 2)
