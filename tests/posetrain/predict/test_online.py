"""Frames as they come: against all that is known at the time, computed directly."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.errors import BadInputError, ChoiceError
from posedata.geometry import square_boxes, to_pixels
from posedata.skeleton import KEYPOINTS, K
from posetrain.filters import gaussian
from posetrain.predict.inputs import open_input
from posetrain.predict.online import Online, Pose, refine_run_online
from posetrain.predict.predicting import predict
from posetrain.tasks import HEATMAPS, TRACKS
from posetrain.trained import Trained, find_trained

CPU = torch.device("cpu")
Floats = NDArray[np.float64]
STILL = Trained("still", lambda given: given[:, :, :K], TRACKS, window=5, any_window=True, frame_step=1, epoch=1)


def lagging(points: Tensor) -> Tensor:
    """A model whose answer hangs on all frames of a window, and on where in it a frame is."""
    points = points[:, :, :K]
    frames = torch.arange(points.shape[1], dtype=points.dtype)
    nearness = torch.exp(-0.1 * (frames[:, None] - frames).abs()) * (1 + 0.01 * frames)
    there = ~points.isnan()
    total = torch.einsum("st,btkc->bskc", nearness, points.nan_to_num())
    return total / torch.einsum("st,btkc->bskc", nearness, there.to(points.dtype)).clamp(min=1e-6)


def answers(online: Online, points: Floats) -> list[Pose]:
    return [pose for frame in points for pose in online.add(frame)] + online.finish()


def places(poses: list[Pose]) -> Floats:
    return np.stack([pose.points for pose in poses])


def directly(trained: Trained, points: Floats, delay: int, length: int) -> Floats:
    """Each frame from all frames up to `delay` behind it, in boxes steadied by those."""
    step, found = trained.frame_step, np.full(points.shape, np.nan)
    for frame in range(len(points)):
        end = max(frame + delay // step * step, frame % step + (trained.shortest - 1) * step)
        while end >= len(points):
            end -= step
        boxes = square_boxes(points[: end + 1])
        for i in range(1, len(boxes)):
            boxes[i] = boxes[i - 1] if np.isnan(boxes[i, 0]) else boxes[i]
        for i in range(len(boxes) - 2, -1, -1):
            boxes[i] = boxes[i + 1] if np.isnan(boxes[i, 0]) else boxes[i]
        boxes = gaussian(boxes.reshape(-1, 2, 2), 3.0).reshape(-1, 4)
        window = np.arange(end % step, end + 1, step)[-length:]
        low, high = boxes[window, :2], boxes[window, 2:]
        middle, side = ((low + high) / 2).mean(axis=0), (high - low).mean()
        unknown = np.full((len(window), 2, 2), np.nan)  # how far the person reaches
        given = np.concatenate([(points[window] - middle) / side, unknown], axis=1)
        with torch.inference_mode():
            said = trained.refine(torch.from_numpy(given[None].astype(np.float32)))
        found[frame] = said[0, window.tolist().index(frame)].double().numpy() * side + middle
    return np.where(np.isnan(points), np.nan, found)


@pytest.mark.parametrize(("frames", "short"), [(1, 1), (8, 8), (9, 4), (10, 0), (11, 0)])
def test_at_a_step_of_two_a_window_of_five_needs_ten_frames(frames: int, short: int) -> None:
    online = Online(replace(STILL, any_window=False, frame_step=2), 0)
    assert online.too_short(frames) == short


@pytest.mark.parametrize(("any_window", "step"), [(True, 1), (True, 2), (False, 1), (False, 3)])
@pytest.mark.parametrize("delay", [0, 2, 8])
def test_an_answer_is_what_is_known_so_much_later(
    any_window: bool, step: int, delay: int, walk: Callable[..., Floats]
) -> None:
    points = walk(90)
    points[:2, 1:] = points[40:60] = np.nan  # nobody to be boxed at first, and for a while
    trained = replace(STILL, refine=lagging, window=17, any_window=any_window, frame_step=step)
    online = Online(trained, delay)
    assert online.delay == delay // step * step
    found = answers(online, points)
    assert len(found) == 90
    assert all(pose.refined for pose in found[2:])
    expected = directly(trained, points, delay, 33 if any_window else 17)
    np.testing.assert_allclose(places(found)[2:], expected[2:], atol=2e-3)


def test_a_mixer_by_what_it_sees_so_much_later(make_run: Callable[..., Path], walk: Callable[..., Floats]) -> None:
    trained = replace(find_trained(str(make_run("mixer", window=9)), CPU), seen=None)
    points = walk(60)
    found = places(answers(Online(trained, 4), points))
    np.testing.assert_allclose(found, directly(trained, points, 4, 33), atol=1e-2)
    assert np.nanmax(np.abs(found - points)) > 1


@pytest.mark.parametrize("delay", [0, 3, 16])
def test_no_answer_hangs_on_frames_that_come_later(delay: int, walk: Callable[..., Floats]) -> None:
    points, other = walk(70), walk(70, seed=1)
    first, second = Online(replace(STILL, refine=lagging), delay), Online(replace(STILL, refine=lagging), delay)
    one = answers(first, points)
    two = answers(second, np.concatenate([points[:50], 2 * other[50:]]))
    np.testing.assert_array_equal(places(one)[: 50 - delay], places(two)[: 50 - delay])
    assert (np.nan_to_num(places(one)[50 - delay]) != np.nan_to_num(places(two)[50 - delay])).any()


def test_frames_may_come_in_one_array(walk: Callable[..., Floats]) -> None:
    points, held, found = walk(20), np.empty((25, 2)), []
    online = Online(replace(STILL, refine=lagging), 3)
    for frame in points:
        held[:] = frame
        found += online.add(held)
    expected = answers(Online(replace(STILL, refine=lagging), 3), points)
    np.testing.assert_array_equal(places(found), places(expected)[:17])


@pytest.mark.parametrize("delay", [0, 3])
def test_answers_come_when_they_are_known(delay: int, walk: Callable[..., Floats]) -> None:
    online = Online(STILL, delay)
    counts = [len(online.add(frame)) for frame in walk(20)]
    assert counts == [0] * delay + [1] * (20 - delay)
    assert len(online.finish()) == delay


def test_the_first_frames_of_a_model_for_one_window_come_from_its_first(walk: Callable[..., Floats]) -> None:
    points = walk(9)
    alone = replace(STILL, refine=lagging, any_window=False)
    online = Online(alone, 1)
    counts = [len(online.add(frame)) for frame in points]
    assert counts == [0, 0, 0, 0, 4, 1, 1, 1, 1]
    assert len(online.finish()) == 1
    # A track of every other frame is complete one frame after the other.
    online = Online(replace(alone, frame_step=2), 2)
    assert [len(online.add(frame)) for frame in walk(12)] == [0] * 8 + [1, 7, 1, 1]
    assert len(online.finish()) == 2


def test_a_run_too_short_is_handed_through_and_the_next_begins_anew(walk: Callable[..., Floats]) -> None:
    points = walk(30)
    online = Online(replace(STILL, refine=lagging, any_window=False), 2)
    short = answers(online, points[:4])
    assert [pose.refined for pose in short] == [False] * 4
    np.testing.assert_array_equal(places(short), points[:4])
    after = answers(online, points)
    fresh = answers(Online(replace(STILL, refine=lagging, any_window=False), 2), points)
    np.testing.assert_array_equal(places(after), places(fresh))
    assert online.finish() == []


def test_somebody_who_shows_one_joint_is_handed_through() -> None:
    points = np.full((6, K, 2), np.nan)
    points[:, 3] = [50.0, 60.0]
    points[4:, 5] = [80.0, 160.0]
    found = answers(Online(replace(STILL, refine=lagging), 0), points)
    assert [pose.refined for pose in found] == [False] * 4 + [True] * 2
    np.testing.assert_array_equal(places(found)[:4], points[:4])


def test_what_the_model_has_not_seen_is_kept_from_it(walk: Callable[..., Floats]) -> None:
    seen = np.ones(K, bool)
    seen[4] = False
    shown: list[Tensor] = []

    def move(points: Tensor) -> Tensor:
        shown.append(points)
        return points[:, :, :K] + 0.1

    points = walk(8)
    found = places(answers(Online(replace(STILL, refine=move, seen=seen), 0), points))
    np.testing.assert_array_equal(found[:, 4], points[:, 4])
    np.testing.assert_array_equal(np.isnan(found), np.isnan(points))
    assert np.nanmin(np.abs(found[:, 5] - points[:, 5])) > 0
    assert all(given[:, :, 4].isnan().all() for given in shown)


def test_memory_does_not_grow_with_the_frames(walk: Callable[..., Floats]) -> None:
    online, points, held = Online(replace(STILL, any_window=False), 2), walk(100), []
    for n in range(10_000):
        online.add(points[n % 100])
        held.append(sum(len(value) for value in vars(online).values() if hasattr(value, "append")))
    assert held[100:] == [5 + 12] * 9_900


def test_a_delay_beyond_the_middle_of_a_window_is_refused() -> None:
    for trained, most in ((STILL, 16), (replace(STILL, any_window=False), 2), (replace(STILL, frame_step=3), 48)):
        assert Online(trained, most).delay == most
        for delay in (-1, most + 1):
            with pytest.raises(ChoiceError, match=f"--delay {delay}: expected 0 to {most}, half of what"):
                Online(trained, delay)


@pytest.mark.parametrize("task", [TRACKS, HEATMAPS])
def test_frames_of_a_store_have_boxes_and_heatmaps(task: object, stores: dict[str, Path]) -> None:
    """A model that answers its input: boxes are taken as they are, heatmaps as they come."""
    shown: list[Tensor] = []

    def still(given: Tensor) -> Tensor:
        shown.append(given)
        return given[:, :, :K]

    (person,) = open_input(stores["climbalong"], ["climb_02"], CPU).people
    online = Online(replace(STILL, refine=still, task=task), 3)  # type: ignore[arg-type]
    found = refine_run_online(online, person, person.runs[0], lambda done: None)
    block = person.blocks(0, len(found.given))
    expected = to_pixels(block.peaks.double().numpy(), person.boxes[: len(found.given)])
    np.testing.assert_array_equal(found.given, expected)
    np.testing.assert_allclose(found.found, expected, atol=1e-2)
    np.testing.assert_array_equal(found.confidence, block.confidence)
    assert np.isnan(expected[..., 0]).all(axis=1).any()  # nobody is found in some frames
    if task is HEATMAPS:
        assert torch.equal(shown[-1][0], block.heatmaps[-33:])


def test_what_is_no_pose_is_refused_and_not_taken() -> None:
    online, pose = Online(STILL, 0), np.full((K, 2), np.nan)
    pose[:2] = [[10, 20], [30, 60]]
    for points in (pose[:17], pose.T, np.zeros((K, 3)), None):
        with pytest.raises(BadInputError, match=r"^points: expected \(25, 2\), found "):
            online.add(points)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=r"^box: expected \(4,\), found \(2,\)"):
        online.add(pose, np.zeros(2))
    with pytest.raises(BadInputError, match=r"^heatmaps: expected \(25, 56, 56\)"):
        online.add(pose, np.asarray([0, 0, 9, 9.0]), torch.zeros(K, 64, 48))
    for box in ([0, 0, np.inf, 9], [0, np.nan, 9, 9]):
        with pytest.raises(BadInputError, match=r"^box: expected pixels, or NaN for what is missing, found \[0\.0"):
            online.add(pose, np.asarray(box))
    for points in ([[1, 2], [3]], [["a", "b"]] * K, [[10**400, 0]] * K):
        with pytest.raises(BadInputError, match=r"^points: expected \(25, 2\) numbers, found others"):
            online.add(points)  # type: ignore[arg-type]
    with pytest.raises(BadInputError, match=r"^points: expected pixels"):
        online.add(np.where(pose == 10, np.inf, pose))
    (answer,) = online.add(pose)
    np.testing.assert_allclose(answer.points, pose, atol=1e-3)


def test_a_command_answers_run_by_run(
    make_run: Callable[..., Path], walk: Callable[..., Floats], tmp_path: Path
) -> None:
    trained = find_trained(str(run := make_run("mixer", window=9)), CPU)
    numbers, points = np.asarray([*range(20), *range(30, 45)]), walk(35)
    rows = ["frame,joint,x,y"]
    for frame, pose in zip(numbers.tolist(), points.tolist(), strict=True):
        rows += [f"{frame},{name},{x},{y}" for name, (x, y) in zip(KEYPOINTS, pose, strict=True) if x == x]
    (tmp_path / "in.csv").write_text("\n".join(rows) + "\n")
    report = predict(str(run), tmp_path / "in.csv", tmp_path / "out.npz", CPU, delay=2)
    assert (report["delay"], report["latency_ms"], report["frames_not_refined"]) == (2, None, 0)
    online = Online(trained, 2)
    expected = places(answers(online, points[:20]) + answers(online, points[20:]))
    with np.load(tmp_path / "out.npz") as found:
        np.testing.assert_allclose(found["points"], expected, atol=1e-6)
    (tmp_path / "keypoints.json").write_text(
        '{"fps": 50, "joints": {' + ", ".join(f'"{name}": "{name}"' for name in KEYPOINTS) + "}}"
    )
    assert predict(str(run), tmp_path / "in.csv", tmp_path / "a.npz", CPU, delay=2)["latency_ms"] == 40
    assert predict(str(run), tmp_path / "in.csv", tmp_path / "b.npz", CPU)["latency_ms"] is None
    with pytest.raises(ChoiceError, match="--delay 17: expected 0 to 16"):
        predict(str(run), tmp_path / "in.csv", tmp_path / "c.npz", CPU, delay=17)
    assert not (tmp_path / "c.npz").exists()
