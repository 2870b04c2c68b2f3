"""The datasets of which clips are built."""

from pathlib import Path
from typing import Any

from posedata.clips.recipe import ClipRecipe
from posedata.clips.schema import KIND
from posedata.family import Family, Published

HUMAN36M = Published(
    "human36m",
    "free for academic use, after registration with its authors; not to be passed on",
    "Human3.6M is given by its authors after registration at http://vision.imar.ro/human3.6m; put "
    "videoframes_clips_train.npy, joint_3d_clips_train.npy, videoframes_clips_valid.npy and joint_3d_clips_valid.npy "
    "there",
)


def _build(recipe: ClipRecipe, raw: Path, out: Path, **how: Any) -> dict[str, Any]:
    from posedata.clips.build import build_clips

    return build_clips(recipe, raw, out, **how)


CLIPS = Family(KIND, "video clips", {HUMAN36M.name: HUMAN36M}, ClipRecipe, _build)
