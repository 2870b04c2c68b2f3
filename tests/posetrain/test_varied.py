import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from posedata.geometry import square_boxes, to_grid, to_pixels
from posedata.heatmaps import decode
from posedata.noise import SHIFT_SHARE
from posedata.skeleton import INDEX
from posedata.store.reader import Store
from posetrain import bodies
from posetrain import varied as module
from posetrain.data import Batch, Windows
from posetrain.image import in_image
from posetrain.steady import steady
from posetrain.tasks import TRACKS
from posetrain.varied import SHORTEST, STRENGTHS, varied

LEFT, RIGHT = INDEX["left_wrist"], INDEX["right_wrist"]
NAN = float("nan")


@pytest.fixture
def batch(noisy: Store) -> Batch:
    """Long windows of a store with noise."""
    windows = Windows(noisy, noisy.windows("train", 13)[:60], 13, 1, torch.device("cpu"), "auto")
    (batch,) = windows.batches(np.arange(len(windows)), len(windows))
    return batch


@pytest.fixture
def said(detected: Store, windows: Callable[..., Windows]) -> Batch:
    """Windows of what a detector said."""
    (batch,) = windows(detected, most=12).batches(np.arange(12), 12)
    return batch


def still(monkeypatch: pytest.MonkeyPatch, **constants: object) -> None:
    """Nothing is varied but by these constants of the module."""
    plain: dict[str, object] = {
        "_STRETCH": 0.0,
        "_BENT": 0.0,
        "_TILT": 0.0,
        "_ANY_WAY": 0.0,
        "_LOSING": 0.0,
        "_ONE_BOX": 0.0,
        "_JUMPY": 0.0,
        "_LITTLE": 0.0,
    }
    for name, value in {**plain, **constants}.items():
        monkeypatch.setattr(bodies if hasattr(bodies, name) else module, name, value)
    monkeypatch.setattr(module, "_pieces", lambda length: torch.arange(length)[None])
    monkeypatch.setattr(module, "_mirrored", lambda points, turned, width: points)


def to_grid_of(pixels: Tensor, boxes: Tensor) -> Tensor:
    return torch.stack([torch.from_numpy(to_grid(p.numpy(), b.numpy())) for p, b in zip(pixels, boxes, strict=True)])


def normal(batch: Batch) -> Tensor:
    return batch.points.nan_to_num(0.0)


def test_pieces_are_of_one_length_and_step_in_time_or_against_it() -> None:
    torch.manual_seed(0)
    seen, lengths = set(), []
    for _ in range(2000):
        order = module._pieces(33)
        steps = np.unique(np.diff(order.numpy(), axis=1))
        assert len(steps) == 1
        flat = np.sort(order.numpy().ravel())
        assert (np.diff(flat) == 1).all()  # no frame twice, none left out but at the end
        assert flat[0] == 0
        assert 24 < flat[-1] < 33
        seen.add((int(steps[0]), order.shape[1]))
        if abs(steps[0]) == 1:
            lengths.append(order.shape[1])
    assert {step for step, _ in seen} == {-3, -2, -1, 1, 2, 3}
    assert {length for step, length in seen if abs(step) == 1} == {33, 16, 11, 8, 6, 5}
    assert min(length for _, length in seen) == SHORTEST
    # Uniform is the logarithm of 5 to 33: above 17 there is one piece, below 6 there are as many as can be.
    whole, short = (lengths.count(length) / len(lengths) for length in (33, SHORTEST))
    assert abs(whole - math.log(33 / 17) / math.log(33 / 5)) < 0.05
    assert abs(short - math.log(6 / 5) / math.log(33 / 5)) < 0.03


@pytest.mark.parametrize("length", [1, 4, 5, 9])
def test_short_windows_stay_whole(length: int) -> None:
    torch.manual_seed(0)
    for _ in range(20):
        assert module._pieces(length).sort().values.tolist() == [list(range(length))]


def test_without_any_change_points_and_boxes_are_those_of_the_store(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    still(monkeypatch)
    other = varied(batch)
    torch.testing.assert_close(other.points, batch.points, equal_nan=True, rtol=0, atol=1e-3)
    assert torch.equal(other.annotated, batch.annotated)
    assert np.array_equal(other.frames, batch.frames)


@pytest.mark.parametrize(("below", "loose"), [(0.0, True), (1.2, True), (3.0, True), (3.0, False)])
def test_of_little_noise_the_target_is_steady_and_what_is_given_is_not(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, below: float, loose: bool
) -> None:
    still(monkeypatch, _LITTLE=below, STRENGTHS=(0.0, 2.5))
    monkeypatch.setattr(module, "_strengths", lambda points: torch.linspace(0, 2.4, len(points)).view(-1, 1, 1, 1))
    monkeypatch.setattr(torch, "randn_like", torch.zeros_like)
    other = varied(batch, loose)
    expected = to_grid_of(steady(module._pixels(batch.points, batch.boxes)), batch.boxes)
    changes = torch.linspace(0, 2.4, len(batch.points)) < below * loose
    torch.testing.assert_close(other.points[changes], expected[changes], equal_nan=True, rtol=0, atol=1e-3)
    torch.testing.assert_close(other.points[~changes], batch.points[~changes], equal_nan=True, rtol=0, atol=1e-3)
    rounded = batch.points.floor().clamp(0, 55) + 0.5
    off = (other.input_peaks - rounded).abs()[other.annotated]
    assert float((off < 1e-3).float().mean()) > 0.99  # the rest lie on the edge of a cell
    assert torch.equal(other.annotated, batch.annotated)


def test_a_mirror_is_of_the_image_so_that_the_way_of_a_person_turns_round(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = module._pixels(batch.points, batch.boxes)
    expected = to_pixels(batch.points[0].double().numpy(), batch.boxes[0].double().numpy())  # type: ignore[index]
    np.testing.assert_allclose(pixels[0].numpy(), expected, rtol=1e-5)
    turned = module._mirrored(pixels, torch.ones(len(pixels), 1, 1, 1, dtype=torch.bool), 0)
    torch.testing.assert_close(turned[:, :, LEFT, 0], -pixels[:, :, RIGHT, 0], equal_nan=True)
    torch.testing.assert_close(turned[:, :, LEFT, 1], pixels[:, :, RIGHT, 1], equal_nan=True)
    mirror = module._mirrored
    still(monkeypatch)
    monkeypatch.setattr(module, "_mirrored", mirror)
    torch.manual_seed(0)
    changed = (normal(varied(batch)) - normal(batch)).abs().flatten(1).amax(dim=1) > 0.01
    assert 15 < int(changed.sum()) < 45


def test_a_turned_pose_gets_the_box_that_the_store_would_give_it(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _ANY_WAY=1.0)
    seen = []
    rotated = module.rotated
    monkeypatch.setattr(module, "rotated", lambda pixels: seen.append(rotated(pixels)) or seen[-1])
    torch.manual_seed(0)
    points = varied(batch).points
    pixels = seen[0].chunk(2, dim=1)[0][3].double().numpy()
    lengths = np.linalg.norm(np.diff(pixels, axis=0), axis=-1)
    before = np.linalg.norm(np.diff(module._pixels(batch.points, batch.boxes)[3].double().numpy(), axis=0), axis=-1)
    np.testing.assert_allclose(lengths, before, atol=1e-2)  # turned, neither moved apart nor scaled
    np.testing.assert_allclose(points[3].numpy(), to_grid(pixels, square_boxes(pixels)), atol=0.01)


def test_a_stretched_pose_is_wider_or_narrower_all_the_way(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _STRETCH=0.2)
    torch.manual_seed(0)
    other = varied(batch)
    was, is_now = (module._pixels(each.points, each.boxes).double() for each in (batch, other))
    ratio = (is_now / was)[..., 0]
    widths = ratio.flatten(1).nanmedian(dim=1).values
    torch.testing.assert_close(
        ratio.nan_to_num(1.0), widths[:, None, None].where(~ratio.isnan(), 1.0), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(is_now[..., 1], was[..., 1], equal_nan=True, rtol=1e-4, atol=1e-2)
    assert 0.15 < float(widths.log().std()) < 0.25


def test_keypoints_go_missing_throughout_or_at_times(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _LOSING=1.0)
    torch.manual_seed(0)
    gone = varied(batch).points.isnan()[..., 0] & batch.annotated
    there = batch.annotated.all(dim=1)
    always = (gone.all(dim=1) & there).sum() / there.sum()
    assert 0.2 < float(always) < 0.3
    rest = there & ~gone.all(dim=1)
    at_times = (gone & rest[:, None]).sum() / rest.sum() / gone.shape[1]
    assert 0.07 < float(at_times) < 0.13


def test_one_box_for_all_frames_holds_still_and_shows_the_person_smaller(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    still(monkeypatch, _ONE_BOX=1.0)
    pixels = module._pixels(batch.points, batch.boxes)
    points, size, boxes, _ = module._boxed(pixels, loose=True)
    torch.testing.assert_close(module._pixels(points, boxes), pixels, equal_nan=True, rtol=1e-4, atol=1e-2)
    assert float((boxes - boxes[:, :1]).abs().nan_to_num(0.0).max()) == 0
    moved, shown = pixels[:, 1:] - pixels[:, :-1], points[:, 1:] - points[:, :-1]
    ratio = (shown / moved)[moved.abs() > 1.0].nan_to_num(0.0)
    first = (shown / moved).where(moved.abs() > 1.0, NAN).flatten(1).nanmedian(dim=1).values
    assert ratio.numel()
    for window in range(len(points)):  # one scale a window
        own = (shown / moved)[window][moved[window].abs() > 1.0]
        torch.testing.assert_close(own, first[window].expand_as(own), rtol=0.01, atol=0.01)
    assert float(size.max()) <= 1.0 + 1e-5
    assert float(size.min()) < 0.7
    inside = points[~points.isnan()]
    assert float(inside.min()) > -1
    assert float(inside.max()) < 57


def test_a_frame_of_one_keypoint_has_neither_a_box_nor_a_place_in_it(batch: Batch) -> None:
    pixels = module._pixels(batch.points, batch.boxes)
    pixels[0] = torch.rand(pixels[0].shape)
    pixels[0, 2, 1:] = NAN
    points, _, boxes, _ = module._boxed(pixels, loose=False)
    assert boxes[0].isnan().all(dim=-1).tolist() == [frame == 2 for frame in range(pixels.shape[1])]
    assert points[0].isnan().any(dim=-1).any(dim=-1).tolist() == boxes[0, :, 0].isnan().tolist()


def test_one_box_is_larger_than_the_person_needs_and_not_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _ONE_BOX=1.0)
    torch.manual_seed(0)
    poses = torch.rand(400, 1, 25, 2).expand(-1, 5, -1, -1)  # nobody moves
    points, size, _, _ = module._boxed(poses, loose=True)
    larger = 1 / size
    assert 1.0 - 1e-5 < float(larger.min()) < 1.02
    assert 1.58 < float(larger.max()) < 1.6 + 1e-5
    aside = (points.amin(dim=2) + points.amax(dim=2)) / 2 / 56 - 0.5
    assert 0.098 < float(aside.abs().max()) < 0.1 + 1e-5
    assert (aside.flatten(1).mean(dim=0).abs() < 0.01).all()


def test_one_box_for_all_frames_does_not_jump(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _ONE_BOX=1.0, _JUMPY=1.0)
    _, _, boxes, _ = module._boxed(module._pixels(batch.points, batch.boxes), loose=True)
    assert float((boxes - boxes[:, :1]).abs().nan_to_num(0.0).max()) == 0


def test_boxes_that_jump_move_all_keypoints_of_a_frame_alike(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _JUMPY=1.0)
    torch.manual_seed(0)
    other = varied(batch)
    was, is_now = (module._pixels(each.points, each.boxes) for each in (batch, other))
    torch.testing.assert_close(is_now, was, equal_nan=True, rtol=1e-4, atol=1e-2)  # the person does not jump
    centre, before = (each.nanmean(dim=2) for each in (other.points, batch.points))
    jump = (centre - before).flatten()
    assert 0.03 * 56 < float(jump[~jump.isnan()].std()) < 0.07 * 56


@pytest.mark.parametrize("boxes", ["_ONE_BOX", "_JUMPY"])
def test_boxes_that_are_not_those_of_the_keypoints_are_told_of_nothing(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, boxes: str
) -> None:
    still(monkeypatch, **{boxes: 1.0})
    assert not varied(batch).tight.any()
    assert varied(batch, loose=False).tight.all()


def test_all_others_are_told_how_far_the_person_reaches(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch, _ANY_WAY=1.0)
    torch.manual_seed(0)
    other = varied(batch)
    assert other.tight.all()
    corners = TRACKS.given(other)[:, :, 25:]
    assert torch.equal(~corners.isnan().any(dim=(2, 3)), other.annotated.any(dim=2))
    places = in_image(other.points, other.boxes)
    low, high = places.nan_to_num(9.0).amin(dim=2), places.nan_to_num(-9.0).amax(dim=2)
    side = (high - low).amax(dim=-1, keepdim=True)
    known = torch.stack([(low + high - side) / 2, (low + high + side) / 2], dim=2)
    there = ~corners.isnan()
    torch.testing.assert_close(corners[there], known[there], rtol=0, atol=1e-4)


def test_noise_is_drawn_anew_a_strength_a_window(noisy: Store, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    still(monkeypatch)
    torch.manual_seed(0)
    draws = [varied(batch) for _ in range(40)]
    assert torch.equal(~draws[0].input_peaks.isnan().any(dim=-1), draws[0].annotated)
    assert not torch.equal(draws[0].input_peaks.nan_to_num(0.0), draws[1].input_peaks.nan_to_num(0.0))
    assert (draws[0].input_peaks.nan_to_num(0.5) % 1 == 0.5).all()
    assert batch.unit_shift == pytest.approx(SHIFT_SHARE * noisy.attributes["measured"]["mean_torso_diameter"])
    shifts = torch.stack([(drawn.input_peaks - drawn.points).flatten(1) for drawn in draws])
    # The border holds some shifts back; the width of a cell adds a twelfth to the variance.
    variance = shifts.nan_to_num(0.0).square().sum(dim=2).div((~shifts.isnan()).sum(dim=2)) - 1 / 12
    strength = variance.clamp(min=0.0).sqrt() / batch.unit_shift
    assert float(strength.min()) < 2 * STRENGTHS[0]
    assert 0.7 * STRENGTHS[1] < float(strength.max()) < 1.1 * STRENGTHS[1]


def test_draws_follow_torchs_generator(batch: Batch) -> None:
    peaks = []
    for _ in range(2):
        torch.manual_seed(3)
        peaks.append(varied(batch).input_peaks.nan_to_num(0.0))
    assert torch.equal(*peaks)


def turned(batch: Batch, other: Batch) -> torch.Tensor:
    """Which windows were mirrored."""
    return (normal(other) != normal(batch)).flatten(1).any(dim=1)


def test_a_detectors_peaks_are_mirrored_alone(said: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_pieces", lambda length: torch.arange(length)[None])
    torch.manual_seed(0)
    other = varied(said)
    assert other.unit_shift is None
    mirrored = turned(said, other)
    assert mirrored.any()
    assert not mirrored.all()
    torch.testing.assert_close(other.input_peaks[~mirrored], said.input_peaks[~mirrored], equal_nan=True)
    for name in ("input_peaks", "points"):
        there, here = getattr(other, name)[mirrored][:, :, LEFT], getattr(said, name)[mirrored][:, :, RIGHT]
        torch.testing.assert_close(there[..., 0], 56 - here[..., 0], equal_nan=True)
    corners = other.boxes[mirrored][..., :2], said.boxes[mirrored][..., [2, 1]] * torch.tensor([-1.0, 1.0])
    torch.testing.assert_close(*corners, equal_nan=True)
    assert torch.equal(other.tight, said.tight)
    assert torch.equal(other.annotated[mirrored][:, :, LEFT], said.annotated[mirrored][:, :, RIGHT])
    window = int(torch.nonzero(mirrored)[0])
    heatmap = said.input[window, 0, RIGHT].flip(-1).numpy()
    np.testing.assert_array_equal(other.input_peaks[window, 0, LEFT].numpy(), decode(heatmap))


def test_there_are_no_heatmaps_of_what_is_drawn(batch: Batch) -> None:
    with pytest.raises(NotImplementedError, match="no heatmaps"):
        _ = varied(batch).input
