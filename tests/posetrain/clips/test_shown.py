"""Reports on models of 3-D joints: what is drawn, and the page."""

from pathlib import Path

import numpy as np
import pytest
import torch

from posedata.clips.geometry import views
from posedata.clips.sheet import row
from posedata.clips.store import ClipStore
from posedata.progress import silent
from posetrain.clips.data import all_clips
from posetrain.clips.scoring import CLIP_JUDGE, score_mean_pose
from posetrain.clips.shown import CLIPS_SHOWN, draw
from posetrain.config import TrainConfig
from posetrain.judging import score_what
from posetrain.report.poses import report_poses
from posetrain.training import train

CPU = torch.device("cpu")


def test_frames_stand_beside_what_was_predicted_before_what_is_right(store: ClipStore) -> None:
    clips = np.array([5, 1])
    joints = store.joints(clips).astype(np.float64)
    frames = [0, 4, 7]
    for number, tile in enumerate(draw(store, clips * 8, joints + 0.2)):
        said, right = (views(points[number][frames], store.up) for points in (joints + 0.2, joints))
        images = store.images(clips)[number][frames]
        np.testing.assert_array_equal(tile[4:228, 4:-4], row(images, said, right))
        np.testing.assert_array_equal(tile[4:228, 4:228], images[0])
    known, wrong = (draw(store, clips[:1] * 8, joints[:1] + off)[0] for off in (0, 0.2))
    assert (known[228:250] != wrong[228:250]).any()  # the words: 0 mm, 346 mm


@pytest.mark.usefixtures("small")
def test_a_run_stands_beside_the_mean_pose_on_validation(store: ClipStore, tmp_path: Path) -> None:
    config = TrainConfig(model="resnet-lstm", epochs=2, batch_size=4, learning_rate=3e-2, schedule="constant")
    train(config, store, tmp_path / "lift", device=CPU)
    made = report_poses(CLIPS_SHOWN, [tmp_path / "lift"], {}, CPU, silent)
    assert (made.told["measure"], made.told["unit"]) == ("MPJPE", "mm")
    (block,) = made.told["blocks"]
    assert (block["split"], block["counted"]) == ("validation", "2 clips")
    mean, run = block["lines"]
    assert mean["scores"] == score_mean_pose(store, all_clips(store, "validation", CPU)).parts
    found = score_what(CLIP_JUDGE, str(tmp_path / "lift"), None, "validation", CPU, silent)
    assert (run["scores"], run["epoch"]) == (found.scores.parts, found.epoch)
    page = made.files["report.html"].decode()
    assert "resnet-lstm: validation MPJPE, mm" in page
    assert "<!-- mean-pose -->" in page  # the dashed line
    assert page.count("Best, middle and worst predictions of lift") == 1
    assert made.files == report_poses(CLIPS_SHOWN, [tmp_path / "lift"], {}, CPU, silent).files
