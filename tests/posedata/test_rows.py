from typing import Any

from posedata.rows import heatmap_rows, reader_rows


def report(**changes: Any) -> dict[str, Any]:
    """Of a store of one dataset; `recipe` adds to its recipe."""
    recipe = {
        "datasets": [{"dataset": "penn_action", "actions": ["squat", "pullup"]}, {"dataset": "brace", "actions": None}],
        "noise": {"k": 2.0, "sigmas": [1.0, 1.5], "sigma_per": "frame"},
        "split": "video",
        "seed": 7,
        **changes.pop("recipe", {}),
    }
    return {
        "recipe": recipe,
        "shift_std": 6.5,
        "sequences": 1_234,
        "frames": 98_765,
        "empty_frames": 3,
        "annotated_keypoints": 2_000_000,
        "windows": {"train": 60_000, "validation": 40, "test": 50, "held_out": 0},
        "windows_total": 90_000,
        "mean_torso_diameter": 16.25,
        **changes,
    }


def test_a_usual_store() -> None:
    assert dict(heatmap_rows(report())) == {
        "datasets": "penn_action (squat, pullup), brace",
        "noise": "k 2: shift std 6.5000 grid px; sigma 1, 1.5 a frame",
        "split": "video, seed 7",
        "sequences": "1,234",
        "frames": "98,765 (3 empty)",
        "keypoints": "2,000,000 annotated",
        "windows": "90,000 of 5 frames (train 60,000; sharing no frame: validation 40, test 50, held_out 0)",
        "mean torso": "16.2500 grid px",
    }


def test_what_only_some_stores_have() -> None:
    recipe = {
        "fps": 25.0,
        "operation": "merge",
        "parents": [{"content_digest": "0123456789ab"}, {"content_digest": "fedcba987654"}],
        "box_span": "sequence",
        "box_jitter": 0.05,
        "split": None,
        "seed": None,
    }
    told = dict(heatmap_rows(report(recipe=recipe, shift_std=None, mean_torso_diameter=None)))
    assert told["datasets"] == "penn_action (squat, pullup), brace, at 25 frames a second"
    assert told["made as"] == "merge of 01234567, fedcba98"
    assert told["boxes"] == "one a sequence, off by 0.05 of their side"
    assert told["split"] == "mixed, seed mixed"
    assert told["noise"] == "k 2: shift std mixed; sigma 1, 1.5 a frame"
    assert told["mean torso"] == "none"


def test_a_detectors_heatmaps_have_no_noise() -> None:
    assert dict(heatmap_rows(report(recipe={"noise": None})))["noise"] == "none: a detector's heatmaps"


def test_who_has_read_it() -> None:
    assert list(reader_rows({"readers": {"mine": "my-package 1.0"}})) == [("read by", "mine: my-package 1.0")]
    assert list(reader_rows({})) == []
