"""Between the two passes over clips: which frames come where, and the attributes of the store."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.clips import schema
from posedata.clips.family import CLIPS
from posedata.clips.gather import Found
from posedata.clips.geometry import up_axis
from posedata.clips.joints import JOINTS, LIMBS, PAIRS
from posedata.clips.recipe import ClipRecipe

_NO_TEST = (
    "no test clips: the authors' valid file validates, so a figure on it is of the clips by which a model was chosen"
)


@dataclass(frozen=True, eq=False)
class ClipPlan:
    """What the first pass decided for the second; F frames.

    Attributes:
        found: what the first pass found.
        part: (F,) number of the split, in `found.checked`.
        row: (F,) number of the frame in the files of that split.
        attributes: of the store's root.
        warnings: what a careful person should know.
    """

    found: Found
    part: NDArray[np.uint8]
    row: NDArray[np.int64]
    attributes: dict[str, Any]
    warnings: tuple[str, ...]


def make_plan(recipe: ClipRecipe, found: Found) -> ClipPlan:
    """Lay the clips down one after the other, those that train first, and describe the store."""
    positions = np.arange(schema.CLIP_FRAMES)
    rows = [(each.kept[:, None] * schema.CLIP_FRAMES + positions).ravel() for each in found.checked]
    part = np.repeat(np.arange(len(rows), dtype=np.uint8), [len(each) for each in rows])
    clips = {each.part.split: len(each.kept) for each in found.checked}
    attributes = {
        "format_version": schema.FORMAT_VERSION,
        "kind": schema.KIND,
        "rendered": [],
        "synthetic": found.synthetic,
        "samples": {recipe.dataset: found.sample} if found.synthetic else {},
        "skeleton": {"keypoints": JOINTS, "pairs": PAIRS, "limbs": LIMBS},
        "clip_frames": schema.CLIP_FRAMES,
        "recipe": recipe.model_dump(mode="json"),
        "measured": {
            "median_extent": float(np.median(np.concatenate(found.extents))),
            "up": up_axis(found.rise),
            "pelvis_at_origin": found.centred,
        },
        "counts": {
            "frames": len(part),
            "clips": sum(clips.values()),
            "splits": clips,
            "left_out": len(found.skipped),
        },
        "licences": {recipe.dataset: CLIPS.datasets[recipe.dataset].licence},
    }
    return ClipPlan(found, part, np.concatenate(rows), attributes, (_NO_TEST,))
