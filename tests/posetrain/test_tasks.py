from collections.abc import Callable
from typing import cast

import numpy as np
import pytest
import torch

from posedata.heatmaps import decode as decode_numpy
from posedata.store.reader import Store
from posetrain.data import Batch, Windows
from posetrain.sources import peaks
from posetrain.tasks import HEATMAPS, POINTS, TRACKS, smooth_error, squared_error, torso_error


def test_peaks_agree_with_numpy_and_take_the_first_of_a_tie() -> None:
    heatmaps = torch.randint(0, 3, (2, 3, 56, 56), generator=torch.Generator().manual_seed(0)).float()
    heatmaps[0, 0] = 0
    np.testing.assert_array_equal(peaks(heatmaps).numpy(), decode_numpy(heatmaps.numpy()))
    assert peaks(heatmaps)[0, 0].tolist() == [0.5, 0.5]


def test_peaks_do_not_depend_on_how_heatmaps_lie_in_memory() -> None:
    heatmaps = torch.randint(0, 4, (3, 5, 25, 56, 56), generator=torch.manual_seed(0)).float()
    innermost = heatmaps.movedim(2, -1).contiguous().movedim(-1, 2)
    assert heatmaps.is_contiguous()
    assert not innermost.is_contiguous()
    torch.testing.assert_close(peaks(innermost), peaks(heatmaps), rtol=0, atol=0)


def test_peaks_say_x_before_y() -> None:
    heatmap = torch.zeros(1, 56, 56)
    heatmap[0, 7, 30] = 1
    assert peaks(heatmap).tolist() == [[30.5, 7.5]]


def test_the_loss_of_missing_keypoints_is_zero_but_their_elements_count() -> None:
    predicted, target = torch.ones(1, 1, 2, 56, 56), torch.zeros(1, 1, 2, 56, 56)
    annotated = torch.tensor([[[True, False]]])
    error = squared_error(predicted, target, annotated)
    assert float(error) == 56 * 56
    assert float(error) / target.numel() == 0.5


def test_the_loss_is_what_the_seeds_trick_gives() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = torch.rand(2, 2, 3, 1, 2, 2, generator=generator)[..., 0, :, :]
    annotated = torch.rand(2, 3, generator=generator) > 0.5
    annotated = annotated.unsqueeze(0)[:, :2]
    predicted, target = predicted.unsqueeze(0), target.unsqueeze(0)
    trick = torch.where(annotated[..., None, None], target, predicted)
    expected = torch.nn.functional.mse_loss(predicted, trick)
    assert float(squared_error(predicted, target, annotated)) / target.numel() == pytest.approx(float(expected))


def test_points_are_the_peaks_about_the_centre_and_zero_without_one(given: Callable[..., torch.Tensor]) -> None:
    heatmaps = torch.zeros(1, 1, 2, 56, 56)
    heatmaps[0, 0, 0, 13, 41] = 9
    no_batch = cast(Batch, None)  # points need none to go back to the grid
    seen = given(POINTS, heatmaps)
    torch.testing.assert_close(seen, torch.tensor([[[[41.5 / 56 - 0.5, 13.5 / 56 - 0.5], [0.0, 0.0]]]]))
    assert POINTS.positions(seen, no_batch)[0, 0, 0].tolist() == pytest.approx([41.5, 13.5])


def test_the_error_of_points_is_of_sub_cell_targets(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, most=3)
    (batch,) = made.batches(np.arange(3), 3)
    prediction = torch.full_like(batch.points, 0.25)
    frames = made.starts[:, None] + np.arange(5)
    target = noisy["target_points"][frames].astype(np.float64) / 56 - 0.5
    expected = np.nansum((0.25 - target) ** 2)
    assert float(POINTS.error(prediction, batch)) == pytest.approx(expected, rel=1e-5)
    assert POINTS.elements(batch) == 3 * 5 * 25 * 2


def test_smoothnets_loss_by_hand() -> None:
    target = torch.zeros(1, 4, 1, 2)
    predicted = target.clone()
    predicted[0, :, 0, 0] = torch.tensor([0.0, 1.0, 0.0, 0.0])
    annotated = torch.tensor([[[True], [True], [True], [True]]])
    # positions: 1; accelerations: |-2| and |1|, of 2 frames where there are 4 positions
    assert float(smooth_error(predicted, target, annotated)) == pytest.approx(1 + 0.1 * 3 * 4 / 2)
    annotated[0, 3] = False  # the second acceleration needs it
    assert float(smooth_error(predicted, target, annotated)) == pytest.approx(1 + 0.1 * 2 * 4 / 2)
    assert float(smooth_error(predicted[:, :2], target[:, :2], annotated[:, :2])) == 1


def test_smoothnets_loss_is_a_mean_of_positions_and_a_tenth_of_one_of_accelerations() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = (torch.rand(2, 5, 25, 2, generator=generator) for _ in range(2))
    error = smooth_error(predicted, target, torch.ones(2, 5, 25, dtype=torch.bool)) / target.numel()
    expected = (predicted - target).abs().mean() + 0.1 * (predicted - target).diff(n=2, dim=1).abs().mean()
    torch.testing.assert_close(error, expected)


def test_torso_error_by_hand() -> None:
    target = torch.zeros(1, 3, 25, 2)
    target[..., 3, :] = torch.tensor([0.0, -0.2])  # left shoulder; both hips lie at 0
    target[0, 2, 4] = torch.tensor([0.0, -0.4])  # right shoulder, in the last frame alone
    annotated = torch.zeros(1, 3, 25, dtype=torch.bool)
    annotated[..., [3, 15, 16]] = True
    annotated[0, 2, 4] = True
    predicted = target.clone()
    predicted[0, 1, 3, 0] += 0.1  # half a torso
    predicted[0, 2, 4, 1] += 0.1  # a third of the mean of both sides
    predicted[0, 1, 9] += 5.0  # not annotated
    round_off = 0.02
    still = 3 * 3 * round_off + 0.5 * 3 * round_off
    far = [(length**2 + round_off**2) ** 0.5 - round_off for length in (0.5, 1 / 3, 1.0)]
    expected = still + far[0] + far[1] + round_off + 0.5 * far[2]
    assert float(torso_error(predicted, target, annotated)) == pytest.approx(expected, rel=1e-4)


def test_a_frame_without_a_torso_is_judged_by_a_usual_one() -> None:
    target, annotated = torch.zeros(1, 1, 25, 2), torch.zeros(1, 1, 25, dtype=torch.bool)
    annotated[0, 0, 0] = True
    predicted = target.clone()
    predicted[0, 0, 0, 0] = 16 / 56
    assert float(torso_error(predicted, target, annotated)) == pytest.approx(1.0, rel=1e-3)
    annotated[0, 0, [3, 15]] = True  # a side seen from above has no length
    assert float(torso_error(predicted, target, annotated)) == pytest.approx(4.0 + 2 * 0.02, rel=1e-3)


def test_tracks_say_which_keypoints_are_missing(given: Callable[..., torch.Tensor]) -> None:
    heatmaps = torch.zeros(1, 1, 2, 56, 56)
    heatmaps[0, 0, 0, 13, 41] = 9
    seen = given(TRACKS, heatmaps)
    torch.testing.assert_close(seen[0, 0, 0], torch.tensor([41.5 / 56 - 0.5, 13.5 / 56 - 0.5]))
    assert seen[0, 0, 1].isnan().all()


def test_only_tracks_are_varied_in_training(noisy: Store, windows: Callable[..., Windows]) -> None:
    (batch,) = windows(noisy, most=4).batches(np.arange(4), 4)
    assert HEATMAPS.varied(batch) is batch
    assert POINTS.varied(batch) is batch
    assert not torch.equal(TRACKS.varied(batch).input_peaks, batch.input_peaks)


def test_tracks_hold_still_where_boxes_move_about_a_person_who_does_not(
    noisy: Store, windows: Callable[..., Windows]
) -> None:
    (batch,) = windows(noisy, most=1).batches(np.arange(1), 1)
    low = torch.tensor([[10.0, 20.0], [13.0, 18.0], [8.0, 25.0], [9.0, 21.0], [10.0, 16.0]])
    side = torch.tensor([56.0, 60.0, 50.0, 57.0, 57.0])[:, None]
    batch.boxes = torch.cat([low, low + side], dim=-1)[None]
    pixel = torch.tensor([31.0, 47.0])
    batch.points = ((pixel - low) / side * 56)[None, :, None].expand(1, 5, 25, 2)
    batch.input_peaks = batch.points
    seen, corners = TRACKS.given(batch).split([25, 2], dim=2)
    middle = (low + side / 2).mean(dim=0)
    torch.testing.assert_close(corners[0, :, 0] * 56 + middle, low + side / 12)  # the padding is 0.1 of 1 / 1.2
    torch.testing.assert_close(corners[0, :, 1] * 56 + middle, low + side * 11 / 12)
    torch.testing.assert_close(seen, ((pixel - middle) / 56).expand(1, 5, 25, 2))  # the mean side is 56
    torch.testing.assert_close(TRACKS.positions(seen, batch), batch.points)


@pytest.mark.parametrize("task", [HEATMAPS, POINTS, TRACKS])
def test_the_gradient_of_missing_keypoints_is_zero(noisy: Store, windows: Callable[..., Windows], task: object) -> None:
    (batch,) = windows(noisy, most=4).batches(np.arange(4), 4)
    shape = batch.input.shape if task is HEATMAPS else batch.points.shape
    prediction = torch.full(shape, 0.1, requires_grad=True)
    task.error(prediction, batch).backward()  # type: ignore[attr-defined]
    assert prediction.grad is not None
    assert prediction.grad[~batch.annotated].abs().max() == 0
    assert prediction.grad[batch.annotated].abs().max() > 0
