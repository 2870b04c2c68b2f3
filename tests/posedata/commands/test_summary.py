"""The report of a store as a table."""

from typing import Any

import pytest

from posedata.commands.summary import print_report
from posedata.config import Noise, Recipe, Selection

REPORT: dict[str, Any] = {
    "store": "a.zarr",
    "kind": "temporal-heatmaps",
    "synthetic": False,
    "recipe": Recipe(datasets=(Selection(dataset="brace"),)).model_dump(mode="json"),
    "sequences": 1234,
    "frames": 56789,
    "empty_frames": 12,
    "annotated_keypoints": 1000000,
    "windows_total": 50000,
    "windows": {"train": 30000, "validation": 10000, "test": 9999, "held_out": 1},
    "mean_torso_diameter": 16.27128,
    "shift_std": 3.25423,
    "bytes": None,
    "content_digest": None,
    "skipped": [],
    "warnings": [],
}


def shown(capsys: pytest.CaptureFixture[str], quiet: bool = False, **fields: Any) -> tuple[dict[str, str], str]:
    """Rows by their heading, and the remarks."""
    print_report(REPORT | fields, as_json=False, quiet=quiet)
    out, remarks = capsys.readouterr()
    return dict(line.split(maxsplit=1) for line in out.replace("mean torso", "mean_torso").splitlines()), remarks


def recipe(**fields: Any) -> dict[str, Any]:
    return Recipe(**({"datasets": (Selection(dataset="brace"),)} | fields)).model_dump(mode="json")


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    rows, remarks = shown(capsys)
    assert remarks == ""
    assert rows == {
        "store": "a.zarr",
        "kind": "temporal-heatmaps",
        "datasets": "brace",
        "noise": "k 1: shift std 3.2542 grid px; sigma 1, 1.5, 2, 2.5, 3 a frame",
        "split": "video, seed 0",
        "sequences": "1,234",
        "frames": "56,789 (12 empty)",
        "keypoints": "1,000,000 annotated",
        "windows": "50,000 of 5 frames (train 30,000; sharing no frame: validation 10,000, test 9,999, held_out 1)",
        "mean_torso": "16.2713 grid px",
        "size": "none",
        "digest": "none",
    }


def test_what_is_unusual_has_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = Selection(dataset="brace", actions=("footwork", "toprock"))
    unusual = recipe(datasets=(chosen,), noise=Noise(sigmas=(0.5,), sigma_per="keypoint"), fps=12.5, box_jitter=0.05)
    rows, _ = shown(capsys, recipe=unusual, synthetic=True, readers={"brace": "x 1.0"}, seconds=1.5, bytes=1234)
    assert rows["kind"] == "temporal-heatmaps (synthetic)"
    assert rows["datasets"] == "brace (footwork, toprock), at 12.5 frames a second"
    assert rows["boxes"] == "off by 0.05 of their side"
    assert rows["noise"].endswith("sigma 0.5 a keypoint")
    assert rows["read"].endswith("brace: x 1.0")
    assert (rows["size"], rows["seconds"]) == ("1,234 bytes", "1.5")


def test_what_parents_do_not_share_is_mixed(capsys: pytest.CaptureFixture[str]) -> None:
    merged = recipe() | {"operation": "merge", "split": None, "seed": None}
    merged |= {"parents": [{"content_digest": f"{n}" * 64} for n in (1, 2)], "noise": merged["noise"] | {"k": None}}
    rows, _ = shown(capsys, recipe=merged, shift_std=None, mean_torso_diameter=None)
    assert rows["made"].endswith("merge of 11111111, 22222222")
    assert rows["noise"].startswith("k mixed: shift std mixed; ")
    assert (rows["split"], rows["mean_torso"]) == ("mixed, seed mixed", "none")


def test_a_detector_has_no_noise(capsys: pytest.CaptureFixture[str]) -> None:
    rows, _ = shown(capsys, recipe=recipe(noise=None), shift_std=None)
    assert rows["noise"] == "none: a detector's heatmaps"


def test_ten_things_left_out_are_listed_then_counted_and_warnings_follow(capsys: pytest.CaptureFixture[str]) -> None:
    skipped = [{"item": f"brace/{number}", "reason": "bad"} for number in range(12)]
    _, remarks = shown(capsys, skipped=skipped, warnings=["mind"])
    *listed, more, warning = remarks.splitlines()
    assert listed == [f"left out: brace/{number}: bad" for number in range(10)]
    assert (more, warning) == ("left out: 2 more; --json lists them all", "warning: mind")
    _, remarks = shown(capsys, quiet=True, skipped=skipped, warnings=["mind"])
    assert remarks == ""
