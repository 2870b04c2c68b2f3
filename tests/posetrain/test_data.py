from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from posedata.config import Recipe
from posedata.errors import ChoiceError
from posedata.heatmaps import decode
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES
from posetrain import data
from posetrain.data import MIXED_BLOCKS, Windows, choose, has_tight_boxes, in_blocks, shuffled


def test_decoded_and_looked_up_batches_are_the_same_bits(
    noisy: Store, windows: Callable[..., Windows], device: str
) -> None:
    decoded, looked_up = (windows(noisy, feed=feed, most=40, device=device) for feed in ("store", "render"))
    for a, b in zip(decoded.batches(np.arange(40), 16), looked_up.batches(np.arange(40), 16), strict=True):
        assert torch.equal(a.input.view(torch.int32), b.input.view(torch.int32))
        assert torch.equal(a.target.view(torch.int32), b.target.view(torch.int32))
        torch.testing.assert_close(a.input_peaks, b.input_peaks, rtol=0, atol=0, equal_nan=True)


def test_batches_hold_the_stored_heatmaps(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, most=3)
    (batch,) = made.batches(np.asarray([2, 0]), 16)
    assert batch.frames.tolist() == [[made.starts[i] + t for t in range(5)] for i in (2, 0)]
    for name, heatmaps in (("input_heatmaps", batch.input), ("target_heatmaps", batch.target)):
        np.testing.assert_array_equal(noisy[name][batch.frames], heatmaps.numpy().astype(np.float16))
    np.testing.assert_array_equal(noisy["annotated"][batch.frames], batch.annotated.numpy())


def test_a_missing_keypoint_is_zero_in_input_and_target(noisy: Store, windows: Callable[..., Windows]) -> None:
    for batch in windows(noisy, most=60).batches(np.arange(60), 20):
        missing = ~batch.annotated
        assert missing.any()
        assert batch.input[missing].abs().max() == 0
        assert batch.target[missing].abs().max() == 0


def test_a_detectors_heatmaps_are_decoded(detected: Store, windows: Callable[..., Windows]) -> None:
    made = windows(detected, most=4)
    (batch,) = made.batches(np.arange(len(made)), 16)
    np.testing.assert_array_equal(detected["input_heatmaps"][batch.frames], batch.input.numpy().astype(np.float16))
    with pytest.raises(ChoiceError, match="render"):
        windows(detected, feed="render")


@pytest.mark.parametrize("feed", ["store", "render"])
def test_the_clean_input_is_the_target(noisy: Store, feed: str) -> None:
    starts = noisy.windows("train")[:3]
    made = Windows(noisy, starts, 5, 1, torch.device("cpu"), feed, "clean")  # type: ignore[arg-type]
    (batch,) = made.batches(np.arange(3), 16)
    assert torch.equal(batch.input, batch.target)
    stored = noisy.frames("target_heatmaps", made.frames.ravel()).reshape(batch.target.shape)
    np.testing.assert_array_equal(stored, batch.input.numpy().astype(np.float16))


def test_a_detectors_clean_input_is_its_target(detected: Store) -> None:
    made = Windows(detected, detected.windows("all")[:2], 5, 1, torch.device("cpu"), "auto", "clean")
    (batch,) = made.batches(np.arange(2), 16)
    assert torch.equal(batch.input, batch.target)
    assert batch.input.any()


@pytest.mark.parametrize(
    ("recipe", "tight"),
    [
        ({}, True),
        ({"fps": 10.0}, True),
        ({"box_span": "sequence"}, False),
        ({"box_jitter": 0.05}, False),
        ({"noise": None, "split": "held-out"}, False),
    ],
)
def test_boxes_are_tight_unless_a_recipe_says_otherwise(recipe: dict[str, object], tight: bool) -> None:
    made = Recipe.model_validate({"datasets": ({"dataset": "brace"},), **recipe}).model_dump()
    assert has_tight_boxes(SimpleNamespace(attributes={"recipe": made})) is tight  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("noise", "mean", "unit"),
    [
        ({"torso": None}, 16.0, 3.2),
        ({"torso": 30.0}, 16.0, 6.0),  # the shifts were made of it
        ({}, 16.0, 3.2),  # of a store made from others
        ({}, None, 0.0),
    ],
)
def test_a_unit_shift_is_a_fifth_of_the_torso_that_shifts_went_by(
    noise: dict[str, float | None], mean: float | None, unit: float
) -> None:
    attributes = {"recipe": {"noise": noise}, "measured": {"mean_torso_diameter": mean}}
    for rendered, expected in ((("input_heatmaps",), unit), ((), None)):
        store = SimpleNamespace(rendered=rendered, attributes=attributes)
        assert data._unit_shift(store) == pytest.approx(expected)  # type: ignore[arg-type]


def test_boxes_of_labels_are_tight_and_a_detectors_are_not(
    noisy: Store, detected: Store, windows: Callable[..., Windows]
) -> None:
    for store, tight in ((noisy, True), (detected, False)):
        (batch,) = windows(store, most=3).batches(np.arange(3), 3)
        assert batch.tight.shape == batch.annotated.shape[:2]
        assert bool(batch.tight.all()) is bool(batch.tight.any()) is tight


def test_every_frame_knows_its_video(noisy: Store, windows: Callable[..., Windows]) -> None:
    names = [noisy["sequence_video"][number] for number in noisy.frame_sequence]
    pairs = set(zip(names, windows(noisy).video.tolist(), strict=True))
    assert len(pairs) == len(set(names)) > 1
    assert sorted(number for _, number in pairs) == list(range(len(pairs)))


def test_windows_are_chosen_before_the_first_epoch() -> None:
    starts = np.arange(0, 300, 3)
    np.testing.assert_array_equal(choose(starts, 10, seed=1), np.sort(starts[shuffled(100, seed=1, epoch=0)[:10]]))


def test_an_epoch_holds_every_window_once_in_its_own_order() -> None:
    first, second = shuffled(100, seed=1, epoch=1), shuffled(100, seed=1, epoch=2)
    assert sorted(first) == sorted(second) == list(range(100))
    assert first.tolist() != second.tolist() != list(range(100))
    assert first.tolist() == shuffled(100, seed=1, epoch=1).tolist()


def test_choose_takes_a_part_of_the_windows_by_seed() -> None:
    starts = np.arange(50) * 2
    part = choose(starts, 10, seed=3)
    assert len(part) == 10
    assert (np.diff(part) > 0).all()
    assert set(part) <= set(starts)
    assert choose(starts, 10, seed=4).tolist() != part.tolist()
    assert choose(starts, None, seed=3) is starts


def test_peaks_are_those_of_the_heatmaps_and_nan_where_there_are_none(
    noisy: Store, windows: Callable[..., Windows]
) -> None:
    (batch,) = windows(noisy, most=60).batches(np.arange(60), 60)
    empty = (batch.input == 0).all(dim=-1).all(dim=-1)
    assert empty.any()
    assert batch.input_peaks[empty].isnan().all()
    np.testing.assert_array_equal(batch.input_peaks[~empty].numpy(), decode(batch.input[~empty].numpy()))


def test_blocks_keep_windows_together_and_mix_some_blocks() -> None:
    starts = np.arange(0, 40_000, 3)
    order = in_blocks(starts, seed=1, epoch=1)
    assert sorted(order) == list(range(len(starts)))
    assert order.tolist() == in_blocks(starts, seed=1, epoch=1).tolist() != in_blocks(starts, seed=1, epoch=2).tolist()
    blocks = (starts // CHUNK_FRAMES)[order]
    mixed = MIXED_BLOCKS * CHUNK_FRAMES // 3
    assert len(set(blocks[:mixed])) in (MIXED_BLOCKS, MIXED_BLOCKS + 1)
    assert blocks[: mixed // 2].tolist() != sorted(blocks[: mixed // 2])
    last_seen = {block: i for i, block in enumerate(blocks.tolist())}
    first_seen = {block: i for i, block in reversed(list(enumerate(blocks.tolist())))}
    assert max(last_seen[block] - first_seen[block] for block in last_seen) < MIXED_BLOCKS * CHUNK_FRAMES / 3 + 16
    assert np.ptp(np.unique(blocks[:mixed])) > 600  # from all over the store
