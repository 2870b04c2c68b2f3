"""How a report shows models of 3-D joints: frames, beside them the joints from two sides, right and predicted."""

import numpy as np
from numpy.typing import NDArray

from posedata.clips.geometry import Floats, views
from posedata.clips.schema import CLIP_FRAMES
from posedata.clips.sheet import SHOWN, row
from posedata.clips.store import ClipStore
from posedata.preview.colours import INK
from posedata.preview.draw import Picture, bordered, line
from posetrain.clips.scores import MILLIMETRES
from posetrain.clips.scoring import CLIP_JUDGE
from posetrain.report.showing import Shown


def draw(store: ClipStore, positions: NDArray[np.int64], found: NDArray[np.floating]) -> list[Picture]:
    """Three frames of clips that begin at these positions, with (n, 8, 17, 3) metres that were predicted."""
    clips = positions // CLIP_FRAMES
    return [_tile(store, *one) for one in zip(clips.tolist(), found.astype(np.float64), strict=True)]


def _tile(store: ClipStore, clip: int, found: Floats) -> Picture:
    number = np.asarray([clip])
    images, joints = store.images(number)[0], store.joints(number)[0].astype(np.float64)
    said, right = (views(points[SHOWN], store.up) for points in (found, joints))
    picture = row(images[SHOWN], said, behind=right)
    off = MILLIMETRES * np.linalg.norm(found - joints, axis=-1).mean()
    words = f"clip {store['clip'][clip * CLIP_FRAMES]}, frames {', '.join(map(str, SHOWN))}"
    return bordered(np.concatenate([picture, line(picture.shape[1], (words, INK), right=f"MPJPE {off:.0f} mm")]))


CLIPS_SHOWN = Shown(
    CLIP_JUDGE,
    "MPJPE is the mean distance, in millimetres, between where joints are and where they were predicted: lower is "
    "better.",
    "First, middle and last frame of a clip; beside each its joints from the front and from the right, without "
    "perspective: in colours as they were predicted, in white as they are; a line every half metre. Clips are picked "
    "by their MPJPE.",
    draw,
    each=2,
    columns=1,
)
