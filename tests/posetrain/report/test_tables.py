import csv
import io

import numpy as np
import pytest

from posedata.pck import Pck
from posedata.skeleton import GROUPS
from posedata.store.reader import Store
from posetrain.evaluation import Scores
from posetrain.report.collect import Block, Row, Trained
from posetrain.report.tables import Table, as_csv, joint_table, pck_table

HUNDREDS = [100] * 4
"""Keypoints that count, of four videos."""


def row(name: str, correct: list[int], counted: list[int], joint: str = "nose") -> Row:
    """So many of a joint's keypoints are correct in each video, at every threshold."""
    pck = Pck.of_videos(len(counted))
    keypoint = GROUPS[joint][0]
    pck.correct[:, :, keypoint] = np.asarray(correct)[:, None]
    pck.counted[:, keypoint] = counted
    scores = Scores(1, sum(counted), 1, 0, pck.percent() or {}, {}, pck.per_joint(), 0.25, 0.0, pck, np.zeros(1))
    return Row(name, "", scores)


def block(store: Store, *rows: Row) -> Block:
    return Block(store, store.path.stem, "test", 5, 1, rows)


def marks(table: Table, column: str = "0.1") -> dict[str, tuple[bool, bool | None]]:
    return {line.name: (line.cells[column].best, line.cells[column].level) for line in table.lines}


def test_the_best_is_marked_and_what_is_level_with_it(noisy: Store) -> None:
    table = pck_table(
        block(
            noisy,
            row("worse", [10, 40, 70, 90], HUNDREDS),  # in every video, though its interval overlaps with the best's
            row("best", [15, 46, 74, 95], HUNDREDS),
            row("level", [19, 42, 78, 90], HUNDREDS),  # worse in two, better in two
        )
    )
    assert marks(table) == {"worse": (False, False), "best": (True, True), "level": (False, True)}
    worse, best = table.lines[0].cells["0.1"].interval, table.lines[1].cells["0.1"].interval
    assert worse is not None
    assert best is not None
    assert worse[1] > best[0]


def test_of_two_that_are_equal_the_first_is_the_best_and_the_other_level(noisy: Store) -> None:
    table = pck_table(block(noisy, *(row(name, [50, 60], [100, 100]) for name in ("a", "b"))))
    assert marks(table) == {"a": (True, True), "b": (False, True)}


def test_where_nothing_counts_nobody_is_best(noisy: Store) -> None:
    table = pck_table(block(noisy, *(row(name, [0, 0], [0, 0]) for name in ("identity", "a"))))
    assert marks(table) == {"identity": (False, False), "a": (False, False)}
    assert table.lines[0].cells["0.1"].percent is None


def test_rows_of_the_same_name_keep_their_own_figures(noisy: Store) -> None:
    rows = [row("a", [10, 40, 70, 90], HUNDREDS), row("a", [15, 46, 74, 95], HUNDREDS)]
    first, second = (line.cells["0.1"] for line in pck_table(block(noisy, *rows)).lines)
    assert (first.best, second.best) == (False, True)
    assert first.interval != second.interval


def test_a_percent_lies_in_its_interval(noisy: Store) -> None:
    cell = pck_table(block(noisy, row("a", [15, 46, 74, 95], HUNDREDS))).lines[0].cells["0.2"]
    assert cell.percent == 57.5
    assert cell.interval is not None
    assert 15 <= cell.interval[0] < 57.5 < cell.interval[1] <= 95


def test_of_one_video_there_is_no_interval_and_nobody_knows_what_is_level_with_the_best(noisy: Store) -> None:
    table = pck_table(block(noisy, row("a", [50], [100]), row("b", [49], [100])))
    assert {line.cells["0.1"].interval for line in table.lines} == {None}
    assert marks(table) == {"a": (True, None), "b": (False, None)}


def test_where_nothing_counts_there_is_no_percent(noisy: Store) -> None:
    table = pck_table(block(noisy, row("a", [0], [0])))
    assert {cell.percent for cell in table.lines[0].cells.values()} == {None}
    (line,) = csv.DictReader(io.StringIO(as_csv([table])))
    assert (line["0.1"], line["0.1_low"], line["0.1_high"]) == ("", "", "")


def test_joints_are_those_that_count(noisy: Store) -> None:
    table = joint_table(block(noisy, row("a", [15, 46, 74, 95], HUNDREDS, "hip")))
    assert table.columns == ["hip"]
    cell = table.lines[0].cells["hip"]
    assert cell.percent == 57.5
    assert cell.interval is not None


def test_a_line_of_a_run_tells_its_best_epoch(noisy: Store, trained: dict[str, Trained]) -> None:
    run = row("run", [1], [2])
    table = pck_table(block(noisy, Row(run.name, "2 x 3", run.scores, trained["conv"]), row("identity", [1], [2])))
    assert [(line.note, line.epoch) for line in table.lines] == [("2 x 3", 1), ("", None)]


@pytest.mark.parametrize("number", range(3))
def test_tables_agree_with_the_scores(blocks: list[Block], number: int) -> None:
    block = blocks[number]
    points, joints = pck_table(block), joint_table(block)
    for row, line, by_joint in zip(block.rows, points.lines, joints.lines, strict=True):
        assert row.name == line.name == by_joint.name
        assert {column: cell.percent for column, cell in line.cells.items()} == row.scores.pck
        assert {name: cell.percent for name, cell in by_joint.cells.items()} == {
            name: percents["0.2"] for name, percents in row.scores.per_joint.items()
        }


@pytest.mark.parametrize(("make", "joints"), [(pck_table, False), (joint_table, True)])
def test_csv_comes_back_as_it_was(blocks: list[Block], make: object, joints: bool) -> None:
    tables = [(joint_table if joints else pck_table)(block) for block in blocks]
    lines = list(csv.DictReader(io.StringIO(as_csv(tables))))
    rows = [(block, row) for block in blocks for row in block.rows]
    assert [(line["windows"], line["split"], line["name"], line["note"]) for line in lines] == [
        (block.title, block.split, row.name, row.note) for block, row in rows
    ]
    for line, (_, row) in zip(lines, rows, strict=True):
        percents = {n: p["0.2"] for n, p in row.scores.per_joint.items()} if joints else row.scores.pck
        for column, percent in percents.items():
            assert float(line[column]) == pytest.approx(percent, abs=5e-4)
        if joints:
            assert line["acceleration"] == ""
        else:
            assert row.scores.acceleration is not None
            assert float(line["acceleration"]) == pytest.approx(100 * row.scores.acceleration, abs=5e-4)


def test_csv_holds_intervals_where_there_are_any(blocks: list[Block]) -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv([pck_table(block) for block in blocks]))))
    assert {line["split"] for line in lines if not line["0.2_low"]} == {"test", "held_out"}  # of the climbing store
    with_interval = [line for line in lines if line["0.2_low"]]
    assert len(with_interval) == len(blocks[0].rows)
    for line in with_interval:
        assert float(line["0.2_low"]) <= float(line["0.2"]) <= float(line["0.2_high"])


def test_a_joint_that_a_store_lacks_is_left_empty_in_csv(noisy: Store) -> None:
    tables = [joint_table(block(noisy, row(joint, [1, 2], [2, 2], joint))) for joint in ("hip", "heel")]
    lines = list(csv.DictReader(io.StringIO(as_csv(tables))))
    assert [(line["hip"], line["heel"]) for line in lines] == [("75.000", ""), ("", "75.000")]
