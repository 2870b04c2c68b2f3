import csv
import io
from dataclasses import replace

import pytest

from posetrain.history import MPJPE, PCK_OF_GRID
from posetrain.report.posetables import Block, Line, PosePage, Stored, as_csv

STORE = Stored("a.zarr", "ab12", False, {"dataset": "coco"}, {"train": 5, "test": 2})
MEAN = Line("mean-pose", "", "the mean of what trains", None, None, None, {"all": 40.0, "nose": 50.0})
RUN = Line("mine", "hourglass", "2 x 3 steps of 4; seed 0", 1234, 2, 0.5, {"all": 60.0, "head": 12.34567})
CODE = Line("code", "hourglass-ae", "1 x 3 steps of 4; seed 0", 99, 1, 7.25, {})
BLOCK = Block(STORE, "test", "2 crops", [MEAN, RUN, CODE])


def test_a_block_knows_its_parts_and_who_says_a_pose() -> None:
    assert BLOCK.parts == ["all", "nose", "head"]
    assert BLOCK.posed == [MEAN, RUN]
    assert BLOCK.title == "a.zarr: test split, 2 crops"
    assert replace(BLOCK, store=replace(STORE, synthetic=True)).title == "a.zarr: SYNTHETIC data, test split, 2 crops"


def test_the_best_is_the_highest_or_the_lowest_as_the_score_has_it() -> None:
    assert BLOCK.best(PCK_OF_GRID) is RUN
    assert BLOCK.best(MPJPE) is MEAN
    assert BLOCK.best(PCK_OF_GRID, "nose") is MEAN
    assert BLOCK.best(PCK_OF_GRID, "foot") is None
    twin = replace(RUN, name="twin")
    assert replace(BLOCK, lines=[twin, RUN]).best(PCK_OF_GRID) is twin


def test_in_short_a_line_tells_its_score_or_its_loss() -> None:
    page = PosePage(MPJPE, "", "", [BLOCK], b"", {}, [])
    assert list(page.rows()) == [
        ("table", "a.zarr: test split, 2 crops"),
        ("  mean-pose", "MPJPE 40.0 mm"),
        ("  mine", "MPJPE 60.0 mm"),
        ("  code", "loss 7.25"),
    ]


def test_csv_has_a_line_for_each_and_nothing_where_nothing_is() -> None:
    mean, run, code = csv.DictReader(io.StringIO(as_csv([BLOCK])))
    assert (mean["name"], mean["all"], mean["nose"], mean["head"], mean["loss"]) == (
        "mean-pose",
        "40.000",
        "50.000",
        "",
        "",
    )
    assert float(run["head"]) == pytest.approx(12.34567, abs=5e-4)
    assert (run["digest"], run["split"], run["parameters"], run["best_epoch"]) == ("ab12", "test", "1234", "2")
    assert (code["all"], code["loss"]) == ("", "7.25")
