from collections.abc import Callable

import numpy as np
import pytest
import torch

from posedata.heatmaps import decode
from posedata.plan import SHIFT_SHARE
from posedata.skeleton import INDEX
from posedata.store.reader import Store
from posetrain.data import Batch, Windows
from posetrain.varied import STRENGTHS, varied

LEFT, RIGHT = INDEX["left_wrist"], INDEX["right_wrist"]


def first(windows: Windows) -> Batch:
    (batch,) = windows.batches(np.arange(len(windows)), len(windows))
    return batch


@pytest.fixture
def batch(noisy: Store, windows: Callable[..., Windows]) -> Batch:
    return first(windows(noisy, most=60))


def turned(batch: Batch, other: Batch) -> torch.Tensor:
    """Which windows were mirrored."""
    return (other.points.nan_to_num(0.0) != batch.points.nan_to_num(0.0)).flatten(1).any(dim=1)


def test_half_of_the_windows_are_seen_in_a_mirror(batch: Batch) -> None:
    torch.manual_seed(0)
    other = varied(batch)
    mirrored = turned(batch, other)
    assert 15 < int(mirrored.sum()) < 45
    there, here = other.points[mirrored][:, :, LEFT], batch.points[mirrored][:, :, RIGHT]
    torch.testing.assert_close(there[..., 0], 56 - here[..., 0], equal_nan=True)
    torch.testing.assert_close(there[..., 1], here[..., 1], equal_nan=True)
    assert torch.equal(other.annotated[mirrored][:, :, LEFT], batch.annotated[mirrored][:, :, RIGHT])
    assert torch.equal(other.annotated, ~other.points.isnan().any(dim=-1))
    assert torch.equal(other.points[~mirrored].nan_to_num(0.0), batch.points[~mirrored].nan_to_num(0.0))


def test_noise_is_drawn_anew_a_strength_a_window(noisy: Store, batch: Batch) -> None:
    torch.manual_seed(0)
    draws = [varied(batch) for _ in range(40)]
    assert torch.equal(~draws[0].input_peaks.isnan().any(dim=-1), draws[0].annotated)
    assert not torch.equal(draws[0].input_peaks.nan_to_num(0.0), draws[1].input_peaks.nan_to_num(0.0))
    assert (draws[0].input_peaks.nan_to_num(0.5) % 1 == 0.5).all()
    assert batch.unit_shift == pytest.approx(SHIFT_SHARE * noisy.attributes["measured"]["mean_torso_diameter"])
    shifts = torch.stack([(drawn.input_peaks - drawn.points).flatten(1) for drawn in draws])
    # The border holds some shifts back, and a cell's width adds a little.
    strength = shifts.nan_to_num(0.0).square().sum(dim=2).div((~shifts.isnan()).sum(dim=2)).sqrt() / batch.unit_shift
    assert 0.8 * STRENGTHS[0] < float(strength.min()) < 1.2 * STRENGTHS[0]
    assert 0.7 * STRENGTHS[1] < float(strength.max()) < 1.1 * STRENGTHS[1]


def test_draws_follow_torchs_generator(batch: Batch) -> None:
    peaks = []
    for _ in range(2):
        torch.manual_seed(3)
        peaks.append(varied(batch).input_peaks.nan_to_num(0.0))
    assert torch.equal(*peaks)


def test_a_detectors_peaks_are_mirrored_alone(detected: Store, windows: Callable[..., Windows]) -> None:
    batch = first(windows(detected, most=12))
    torch.manual_seed(0)
    other = varied(batch)
    assert other.unit_shift is None
    mirrored = turned(batch, other)
    assert mirrored.any()
    assert not mirrored.all()
    torch.testing.assert_close(other.input_peaks[~mirrored], batch.input_peaks[~mirrored], equal_nan=True)
    there, here = other.input_peaks[mirrored][:, :, LEFT], batch.input_peaks[mirrored][:, :, RIGHT]
    torch.testing.assert_close(there[..., 0], 56 - here[..., 0], equal_nan=True)


def test_mirrored_peaks_are_those_of_mirrored_heatmaps(detected: Store, windows: Callable[..., Windows]) -> None:
    batch = first(windows(detected, most=12))
    torch.manual_seed(0)
    other = varied(batch)
    window = int(torch.nonzero(turned(batch, other))[0])
    heatmap = batch.input[window, 0, RIGHT].flip(-1).numpy()
    np.testing.assert_array_equal(other.input_peaks[window, 0, LEFT].numpy(), decode(heatmap))


def test_there_are_no_heatmaps_of_what_is_drawn(batch: Batch) -> None:
    with pytest.raises(NotImplementedError, match="no heatmaps"):
        _ = varied(batch).input
