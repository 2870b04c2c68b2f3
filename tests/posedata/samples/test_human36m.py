"""Synthetic clips: people of one build who move smoothly, and pixels that show their joints."""

from pathlib import Path

import numpy as np
import pytest

from posedata.clips.joints import INDEX, JOINTS, LIMBS, PAIRS
from posedata.samples import write_sample
from posedata.samples.human36m import _COLOURS, _DISTANCE, _FOCAL, figure_motion

FILES = ("videoframes_clips_train", "joint_3d_clips_train", "videoframes_clips_valid", "joint_3d_clips_valid")


@pytest.mark.parametrize(("sequences", "train", "valid"), [(1, 1, 1), (2, 1, 1), (8, 6, 2)])
def test_the_layout(sequences: int, train: int, valid: int, tmp_path: Path) -> None:
    write_sample("human36m", tmp_path / "raw", sequences=sequences)
    assert {path.name for path in (tmp_path / "raw").iterdir()} == {"SYNTHETIC.txt", *(f"{name}.npy" for name in FILES)}
    for name, clips in (("train", train), ("valid", valid)):
        frames = np.load(tmp_path / "raw" / f"videoframes_clips_{name}.npy")
        joints = np.load(tmp_path / "raw" / f"joint_3d_clips_{name}.npy")
        assert (frames.shape, frames.dtype) == ((clips, 8, 224, 224, 3), np.uint8)
        assert (joints.shape, joints.dtype) == ((clips, 8, 17, 3), np.float32)


def test_the_seed_alone_decides(tmp_path: Path) -> None:
    for folder, seed in (("one", 3), ("two", 3), ("other", 4)):
        write_sample("human36m", tmp_path / folder, sequences=2, seed=seed)
    one, two, other = ([(tmp_path / f / f"{n}.npy").read_bytes() for n in FILES] for f in ("one", "two", "other"))
    assert one == two
    assert not set(one) & set(other)


def test_bones_keep_their_length_and_are_alike_on_either_side() -> None:
    joints = figure_motion(np.random.default_rng(5), 200)
    bones = np.stack([np.linalg.norm(joints[:, a] - joints[:, b], axis=-1) for a, b in LIMBS], axis=1)
    np.testing.assert_allclose(bones, np.broadcast_to(bones[0], bones.shape))
    length = {JOINTS[far]: bones[0, i] for i, (_, far) in enumerate(LIMBS)}
    assert all(length[JOINTS[left]] == pytest.approx(length[JOINTS[right]], rel=0.03) for left, right in PAIRS)
    assert (joints[:, 0] == 0).all()


def test_people_stand_upright_bend_as_people_do_and_move_smoothly() -> None:
    for seed in range(20):
        joints = figure_motion(np.random.default_rng(seed), 40)
        assert (joints[:, INDEX["head"], 1] < -0.4).all()
        assert (joints[:, [INDEX["left_foot"], INDEX["right_foot"]], 1] > 0.1).all()
        right = joints[:, INDEX["right_hip"]] - joints[:, INDEX["left_hip"]]
        for side in ("left", "right"):
            hip, knee, foot = (joints[:, INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "foot"))
            # Down x back is left: a shin turns backwards from its thigh, never the other way.
            assert ((np.cross(knee - hip, foot - knee) * right).sum(axis=-1) <= 1e-9).all()
        step = np.linalg.norm(np.diff(joints, axis=0), axis=-1)
        assert step.max() < 0.25
        assert step.max() > 0.02
        assert np.linalg.norm(np.diff(joints, 2, axis=0), axis=-1).max() < 0.1


def test_frames_show_the_joints_where_the_camera_sees_them(tmp_path: Path) -> None:
    write_sample("human36m", tmp_path / "raw", sequences=4)
    frames = np.load(tmp_path / "raw/videoframes_clips_train.npy").astype(int)
    joints = np.load(tmp_path / "raw/joint_3d_clips_train.npy")
    places = joints[..., :2] * (_FOCAL / (joints[..., 2:] + _DISTANCE)) + 112
    assert places.min() > 0
    assert places.max() < 224
    x, y = np.moveaxis(np.floor(places).astype(int), -1, 0)
    clip, frame = np.indices(x.shape[:2])
    for side in ("left", "right"):
        for name in ("knee", "elbow"):
            k = INDEX[f"{side}_{name}"]
            shown = frames[clip, frame, y[..., k], x[..., k]]
            hits = (np.abs(shown - _COLOURS[side]).max(axis=-1) < 5).mean()
            assert hits > 0.6, (side, name, hits)  # the rest is hidden by what is nearer


def test_the_wall_stands_still(tmp_path: Path) -> None:
    write_sample("human36m", tmp_path / "raw", sequences=4)
    frames = np.load(tmp_path / "raw/videoframes_clips_train.npy")
    corner = frames[:, :, :20, :20]
    np.testing.assert_array_equal(corner, np.broadcast_to(corner[:, :1], corner.shape))
    assert corner.std() > 5
    assert not (corner[0, 0] == corner[1, 0]).all()
