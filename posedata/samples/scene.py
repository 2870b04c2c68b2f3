"""People of strokes before a wall: what synthetic photographs and films show."""

import numpy as np
from numpy.typing import NDArray

from posedata.crops.joints import LIMBS
from posedata.samples.base import Floats
from posedata.skeleton import COCO_NAMES, INDEX

Pixels = NDArray[np.uint8]


def wall(rng: np.random.Generator, width: int, height: int) -> Pixels:
    """(height, width, 3) with some texture."""
    import cv2

    coarse = rng.integers(60, 200, (6, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def coco_joints(points: Floats) -> Floats:
    """(17, 2) pixels of COCO's joints from (25, 2) keypoints; eyes lie between nose and ears."""
    nose = points[INDEX["nose"]]
    known = {name: points[INDEX[name]] for name in COCO_NAMES if name in INDEX}
    eyes = {f"{side}_eye": (nose + known[f"{side}_ear"]) / 2 for side in ("left", "right")}
    return np.stack([(known | eyes)[name] for name in COCO_NAMES])


def figure(pixels: Pixels, joints: Floats, shirt: NDArray[np.integer]) -> None:
    """Draw a person of (17, 2) COCO joints onto a picture, blue green red.

    Args:
        pixels: (h, w, 3), which is changed.
        joints: in pixels.
        shirt: (3,) the colour, 0 to 255.
    """
    import cv2

    places = joints.astype(int).tolist()
    for a, b in LIMBS:
        cv2.line(pixels, places[a], places[b], shirt.tolist(), 9, cv2.LINE_AA)
    cv2.circle(pixels, places[0], 13, (150, 180, 220), -1, cv2.LINE_AA)
