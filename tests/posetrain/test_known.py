from collections.abc import Callable

import numpy as np
import pytest
import torch

from posedata.skeleton import INDEX
from posedata.store.reader import Store
from posetrain.data import Batch, Windows
from posetrain.known import Known, names_of
from posetrain.sources import Decoded
from posetrain.tasks import HEATMAPS, POINTS, TRACKS, Task

HIDDEN = INDEX["left_wrist"]
SEEN = np.arange(25) != HIDDEN


@pytest.fixture
def batch(noisy: Store, windows: Callable[..., Windows]) -> Batch:
    (made,) = windows(noisy, most=4).batches(np.arange(4), 4)
    assert (~made.input_peaks[:, :, HIDDEN].isnan()).any()
    return made


@pytest.mark.parametrize("task", [HEATMAPS, POINTS, TRACKS])
def test_a_model_neither_sees_nor_says_what_it_does_not_know(task: Task, batch: Batch) -> None:
    known, own = Known(task, SEEN), task.given(batch)
    shown, at = known.given(batch), torch.from_numpy(SEEN)
    keypoints = shown[:, :, :25]
    assert not keypoints[:, :, HIDDEN].nan_to_num(0.0).any()
    torch.testing.assert_close(keypoints[:, :, at], own[:, :, :25][:, :, at], equal_nan=True)
    moved = task.given(batch)[:, :, :25].nan_to_num(0.0).roll(1, dims=-1)
    for say in ("positions", "places"):
        found, plain = getattr(known, say)(moved, batch), getattr(task, say)(moved, batch)
        torch.testing.assert_close(found[:, :, HIDDEN], batch.input_peaks[:, :, HIDDEN], equal_nan=True)
        assert torch.equal(found[:, :, at].nan_to_num(-1.0), plain[:, :, at].nan_to_num(-1.0))
        assert not torch.equal(found.nan_to_num(-1.0), plain.nan_to_num(-1.0))


@pytest.mark.parametrize("task", [HEATMAPS, POINTS, TRACKS])
def test_the_loss_counts_what_a_model_knows(task: Task, batch: Batch) -> None:
    known, prediction = Known(task, SEEN), task.given(batch)[:, :, :25].nan_to_num(0.0)
    before = float(known.error(prediction, batch))
    prediction[:, :, HIDDEN] += 3.0
    assert float(known.error(prediction, batch)) == pytest.approx(before)
    prediction[:, :, 0] += 3.0
    assert float(known.error(prediction, batch)) > before + 1
    assert known.elements(batch) == task.elements(batch)
    assert batch.annotated[:, :, HIDDEN].any()  # the batch itself stays as it was


def test_a_box_that_is_also_around_others_tells_nothing(batch: Batch) -> None:
    batch.input_peaks[0, 2, HIDDEN] = torch.nan
    batch.input_peaks[1:, :, HIDDEN] = 20.0
    told = ~Known(TRACKS, SEEN).given(batch)[:, :, 25:].isnan().any(dim=(2, 3))
    alone = batch.input_peaks[..., HIDDEN, 0].isnan()
    assert torch.equal(told, alone & ~batch.boxes.isnan().any(dim=-1))
    assert told[0, 2]
    assert not told[1:].any()


def test_nothing_is_decoded_twice(
    noisy: Store, windows: Callable[..., Windows], monkeypatch: pytest.MonkeyPatch
) -> None:
    known, asked, decode = Known(HEATMAPS, SEEN), [], Decoded.heatmaps

    def count(self: Decoded, frames: np.ndarray) -> torch.Tensor:  # type: ignore[type-arg]
        asked.append(frames)
        return decode(self, frames)

    monkeypatch.setattr(Decoded, "heatmaps", count)
    (batch,) = windows(noisy, most=2, feed="store").batches(np.arange(2), 2)
    prediction = known.given(batch)
    known.error(prediction, batch)
    known.elements(batch)
    known.positions(prediction, batch)
    assert len(asked) == 2  # input and target


def test_batches_are_varied_as_ever(batch: Batch) -> None:
    assert Known(HEATMAPS, SEEN).varied(batch) is batch


def test_keypoints_by_name() -> None:
    assert names_of(~SEEN) == ("left_wrist",)
