"""Tables for a terminal, from what was found."""

from typing import Any

import pytest

from posedata.skeleton import KEYPOINTS
from posedata.stats.tables import annotated, distributions, frames, identity, minded, noise, windows


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, "a detector's input"),
        ({"k": None, "shift_std": None}, "k mixed: shift std mixed"),
        ({"k": 1.0, "shift_std": None}, "k 1: shift std mixed"),
        (
            {"k": 2.0, "shift_std": 3.25, "shift_std_measured": None},
            "k 2: shift std 3.2500 grid px; too small or too large to be measured",
        ),
        (
            {"k": 0.5, "shift_std": 1.5, "shift_std_measured": 1.51, "k_measured": 0.503},
            "k 0.5: shift std 1.5000 grid px; measured 1.5100, k 0.503",
        ),
        (
            {"k": None, "shift_std": 1.5, "shift_std_measured": 1.51, "k_measured": None},
            "k mixed: shift std 1.5000 grid px; measured 1.5100",
        ),
    ],
)
def test_noise_in_words(found: dict[str, Any] | None, text: str) -> None:
    assert noise({"noise": found}) == text


def test_doubts_have_two_rows_each() -> None:
    doubt = {"what": "3 frames", "which": ["a", "b"], "rule": "r", "why": "w"}
    plain = doubt | {"which": []}
    assert minded({"mind": [doubt, plain]}) == [("! 3 frames: a, b",), ("    r; w",), ("! 3 frames",), ("    r; w",)]
    assert minded({"mind": []}) == [("nothing stands out",)]


def test_frames_show_the_splits_that_there_are() -> None:
    row = {"dataset": "brace", "sequences": 2, "frames": 1234, "train": 1200, "validation": 0, "test": 0}
    told = {"frames_by": [row | {"action": "", "held_out": 0, "none": 34}]}
    assert frames(told) == [
        ("dataset", "action", "sequences", "frames", "train", "none"),
        ("brace", "-", "2", "1,234", "1,200", "34"),
    ]


def test_windows_by_step() -> None:
    counts = {"train": 1000, "validation": 2, "test": 3, "held_out": 0}
    assert windows({"windows": {"2": counts}})[1] == ("2", "1,000", "2", "3", "0")


def test_a_split_without_a_score_has_dashes() -> None:
    counts = {"keypoints": 1500, "frames_scored": 60, "frames_unscored": 0}
    scores = {"train": counts | {"pck": {"0.05": 1.25, "0.1": 50, "0.2": 99.99}}, "test": counts | {"pck": None}}
    _, train, test = identity({"identity_pck": scores})
    assert train == ("train", "1.2 %", "50.0 %", "100.0 %", "1,500", "60", "0")
    assert test == ("test", "-", "-", "-", "1,500", "60", "0")


def test_distributions_without_a_number_are_left_out() -> None:
    quantiles = {"0.05": 1.0, "0.5": 2.0, "0.95": 3.0, "0.99": 1234.56}
    found = {"count": 1000, "mean": 2.5, "min": 0.125, "max": 12345.6, "quantiles": quantiles}
    entry = {"what": "torso", "unit": "px", "datasets": {"a": found, "b": {"count": 0}}}
    rows = distributions({"distributions": {"torso": entry}})
    assert rows == [
        ("", "dataset", "unit", "count", "mean", "min", "5 %", "50 %", "95 %", "99 %", "max"),
        ("torso", "a", "px", "1,000", "2.5", "0.125", "1", "2", "3", "1235", "1.235e+04"),
    ]


def test_keypoints_that_nobody_annotated_are_left_out() -> None:
    none = dict.fromkeys(KEYPOINTS, 0.0)
    told = {"annotated_percent": {"a": none | {"nose": 99.95}, "b": none | {"left_hip": 5.0}}}
    assert annotated(told) == [("keypoint", "a", "b"), ("nose", "100.0", "0.0"), ("left_hip", "0.0", "5.0")]
