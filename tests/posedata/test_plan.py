import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError
from posedata.gather import Entry, Gathered
from posedata.plan import make_plan
from posedata.splits import HELD_OUT, TRAIN
from posedata.spool import Spool

NAN = math.nan


def gathered(
    folder: Path,
    videos: Sequence[str],
    torso: Sequence[float] = (10.0, 20.0),
    official: Sequence[str | None] | None = None,
    dataset: str = "brace",
) -> Gathered:
    """A sequence of 12 frames for each video, with a gap after the sixth; the first frames have the torsos."""
    folder.mkdir()
    found = Gathered(Spool(folder), folder / "sources.csv", licences={dataset: "free"})
    for i, video in enumerate(videos):
        split = official[i] if official else None
        found.entries.append(Entry(dataset, f"s{i}", video, "", 25.0, split, start=12 * i, length=12))
    frames = 12 * len(videos)
    torsos = np.full(frames, NAN)
    torsos[: len(torso)] = torso
    number = np.tile([*range(6), *range(9, 15)], len(videos))
    for name, values in (("torso", torsos), ("frame_number", number), ("shot", np.zeros(frames))):
        found.spool.append(name, [values])
    return found


def recipe(dataset: str = "brace", **fields: object) -> Recipe:
    return Recipe(datasets=(Selection(dataset=dataset),), **fields)  # type: ignore[arg-type]


DETECTOR = recipe("climbalong", noise=None, split="held-out")


@pytest.mark.parametrize(
    ("noise", "shift"),
    [(Noise(), 3.0), (Noise(k=2), 6.0), (Noise(k=0), 0.0), (Noise(k=0.5, torso=40.0), 4.0)],
    ids=["k 1", "k 2", "k 0", "torso given"],
)
def test_the_shift_is_a_fifth_of_the_mean_torso_times_k(tmp_path: Path, noise: Noise, shift: float) -> None:
    plan = make_plan(recipe(noise=noise), gathered(tmp_path / "s", ["v", "w"]))
    assert plan.shift_std == pytest.approx(shift, rel=1e-15)
    assert plan.attributes["measured"]["shift_std"] == plan.shift_std
    assert plan.attributes["measured"]["mean_torso_diameter"] == 15.0


def test_the_mean_torso_is_exact_in_any_order(tmp_path: Path) -> None:
    # 0.1 ten times sums to 0.9999999999999999 in floats; their exact mean is 0.1 again.
    values = [0.1] * 10
    plan = make_plan(recipe(), gathered(tmp_path / "a", ["v"], values))
    assert plan.attributes["measured"]["mean_torso_diameter"] == 0.1
    large = [1e9, 1e-3, 3.3, 1e9, 7.7e-5, 12.1]
    means = {
        make_plan(recipe(), gathered(tmp_path / str(i), ["v"], order)).attributes["measured"]["mean_torso_diameter"]
        for i, order in enumerate((large, large[::-1], sorted(large)))
    }
    assert means == {math.fsum(large) / 6}


def test_without_any_torso_one_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"mean torso: .* found none; .*--torso"):
        make_plan(recipe(), gathered(tmp_path / "a", ["v"], ()))
    plan = make_plan(recipe(noise=Noise(torso=5.0)), gathered(tmp_path / "b", ["v"], ()))
    assert plan.shift_std == 1.0
    assert plan.attributes["measured"]["mean_torso_diameter"] is None


@pytest.mark.parametrize("block", [1, 30, 65536])
def test_windows_are_counted_before_and_after_splitting(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posedata.counts._BLOCK", block)
    # A sequence has two runs of 6 frames: 4 windows, of which 2 share no frame.
    videos = [f"v{i}" for i in range(20)]
    plan = make_plan(recipe(), gathered(tmp_path / "s", videos))
    counts = plan.attributes["counts"]
    assert counts["frames"] == 240
    assert counts["sequences"] == 20
    assert counts["windows_total"] == 80
    assert counts["windows"] == {"train": 12 * 4, "validation": 4 * 2, "test": 4 * 2, "held_out": 0}


def test_a_split_goes_to_all_frames_of_a_sequence(tmp_path: Path) -> None:
    plan = make_plan(recipe(), gathered(tmp_path / "s", [f"v{i}" for i in range(20)]))
    by_sequence = plan.split.reshape(20, 12)
    assert plan.split.dtype == np.uint8
    assert (by_sequence == by_sequence[:, :1]).all()
    assert np.bincount(by_sequence[:, 0]).tolist() == [12, 4, 4]
    assert plan.warnings == ()


@pytest.mark.parametrize("other", [recipe(noise=Noise(k=3)), recipe(noise=Noise(sigmas=(1.0,)))])
def test_the_split_depends_neither_on_k_nor_on_sigma(tmp_path: Path, other: Recipe) -> None:
    videos = [f"v{i}" for i in range(20)]
    first = make_plan(recipe(), gathered(tmp_path / "a", videos))
    second = make_plan(other, gathered(tmp_path / "b", videos))
    np.testing.assert_array_equal(first.split, second.split)


def test_all_frames_may_be_for_training(tmp_path: Path) -> None:
    plan = make_plan(recipe(split="train"), gathered(tmp_path / "s", ["v", "w"]))
    assert (plan.split == TRAIN).all()
    assert "no validation windows: --split train left none" in plan.warnings


def test_official_splits_that_share_videos_are_warned_of(tmp_path: Path) -> None:
    made = gathered(tmp_path / "s", ["v", "v", "w"], official=["train", "test", "train"])
    made.warnings.append("from the reader")
    plan = make_plan(recipe(split="official"), made)
    assert plan.split[::12].tolist() == [0, 2, 0]
    assert plan.warnings == (
        "from the reader",
        "1 videos have sequences in more than one split",
        "no validation windows: --split official left none",
    )


def test_videos_of_one_name_in_two_datasets_are_two_where_the_longest_is_held_out(tmp_path: Path) -> None:
    made = gathered(tmp_path / "s", [*"aabbb", *"aa"])
    made.entries[5:] = [replace(entry, dataset="speed21") for entry in made.entries[5:]]
    held_out = make_plan(recipe(split="held-out"), made).split.reshape(7, 12) == HELD_OUT
    np.testing.assert_array_equal(held_out, np.repeat([[False], [True], [False]], [2, 3, 2], axis=0).repeat(12, axis=1))


def test_datasets_without_an_official_split_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="brace"):
        make_plan(recipe(split="official"), gathered(tmp_path / "s", ["v"]))


def test_detector_input_has_no_shift_and_its_heatmaps_are_not_rendered(tmp_path: Path) -> None:
    plan = make_plan(DETECTOR, gathered(tmp_path / "s", ["v", "w"], (), dataset="climbalong"))
    assert plan.shift_std is None
    assert plan.attributes["input"] == "detector"
    assert plan.attributes["rendered"] == ["target_heatmaps"]
    assert plan.attributes["measured"] == {"mean_torso_diameter": None, "shift_std": None}
    assert (plan.split[:12] == 3).all()


def test_noisy_input_is_rendered(tmp_path: Path) -> None:
    plan = make_plan(recipe(), gathered(tmp_path / "s", ["v"]))
    assert plan.attributes["input"] == "noise"
    assert plan.attributes["rendered"] == ["input_heatmaps", "target_heatmaps"]


def test_the_rule_of_boxes_is_told_with_what_it_did_to_keypoints(tmp_path: Path) -> None:
    made = gathered(tmp_path / "s", ["v"])
    made.annotated, made.outside = 12_345, 1_002
    plan = make_plan(recipe(box_jitter=0.05), made)
    rule = "squared, 0.1 of the extent added on each side"
    assert plan.attributes["rendering"]["box"] == (
        f"{rule}, moved by Normal(0, 0.05) sides, side times exp(Normal(0, 0.05))"
    )
    assert "--box-jitter 0.05 moved 1,002 of 12,345 keypoints to the border of their box" in plan.warnings
    usual = make_plan(recipe(), gathered(tmp_path / "t", ["v"]))
    assert usual.attributes["rendering"]["box"] == rule
    assert not any("box" in warning for warning in usual.warnings)


@pytest.mark.parametrize("synthetic", [False, True])
def test_the_attributes_tell_what_the_store_is(tmp_path: Path, synthetic: bool) -> None:
    made = gathered(tmp_path / "s", ["v"])
    made.synthetic, made.annotated, made.empty = synthetic, 77, 3
    attributes = make_plan(recipe(seed=9), made).attributes
    assert attributes["synthetic"] is synthetic
    assert attributes["counts"]["annotated_keypoints"] == 77
    assert attributes["counts"]["empty_frames"] == 3
    assert attributes["recipe"]["seed"] == 9
    assert Recipe.model_validate(attributes["recipe"]) == recipe(seed=9)
    assert attributes["licences"] == {"brace": "free"}
    assert len(attributes["skeleton"]["keypoints"]) == 25


def test_nothing_in_the_attributes_differs_between_two_builds(tmp_path: Path) -> None:
    first, second = (make_plan(recipe(), gathered(tmp_path / name, ["v", "w"])).attributes for name in "ab")
    text = json.dumps(first, allow_nan=False)
    assert text == json.dumps(second, allow_nan=False)
    assert str(tmp_path) not in text
