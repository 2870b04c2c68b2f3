"""From crops of people to heatmaps as ClimbAlong has them: 25 keypoints on 56 x 56 cells."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.crops.geometry import GRID as CROP_GRID
from posedata.errors import ChoiceError
from posedata.geometry import GRID
from posedata.skeleton import COCO_17, INDEX, K
from posetrain.crops.tasks import Detection
from posetrain.trained import Opened, open_run

Maps = NDArray[np.float32]

_KNOWN = [(j, INDEX[name]) for j, name in enumerate(COCO_17) if name is not None]
_JOINTS, _KEYPOINTS = (list(numbers) for numbers in zip(*_KNOWN, strict=True))


def open_detector(run: Path, device: torch.device) -> Opened:
    """The best epoch of a detector's run, and the store that it was trained on, for its mean colour.

    Raises:
        BadInputError: if there is no such run, no epoch is finished, or its store is not at hand.
        ChoiceError: if it is of another model.
        IntegrityError: if files are damaged.
    """
    opened = open_run(run, None, device)
    if not isinstance(opened.task, Detection):
        raise ChoiceError(f"{run}: expected a run of an hourglass that says keypoints, found one of {opened.name}")
    return opened


@torch.inference_mode()
def heatmaps_of(detector: Opened, crops: NDArray[np.uint8], device: torch.device) -> Maps:
    """What a detector says of some crops, unchanged but for its grid: negative values stay.

    Args:
        detector: see `open_detector`.
        crops: (n, 256, 256, 3) RGB.
        device: where the detector is.

    Returns:
        (n, 25, 56, 56) float32 over the same squares; zeros of keypoints that COCO does not have.
    """
    centred = crops - detector.store.mean_rgb.astype(np.float32)
    said = detector.model(torch.from_numpy(centred).to(device).movedim(-1, 1))
    return to_keypoints(said[:, -1].float().cpu().numpy())


def to_keypoints(maps: Maps) -> Maps:
    """(n, 17, 64, 64) maps of COCO's joints to (n, 25, 56, 56) of the keypoints; eyes are dropped."""
    found = np.zeros((len(maps), K, GRID, GRID), np.float32)
    found[:, _KEYPOINTS] = resized(maps[:, _JOINTS])
    return found


def resized(maps: Maps) -> Maps:
    """(..., 64, 64) cells to (..., 56, 56) over the same square: means by area, as of `cv2.INTER_AREA`.

    A new cell is the mean of what it covers of the old ones. So every old cell counts as much as any other, while where
    values are picked, a narrow peak between two of them counts for less; and nothing moves.
    """
    shares = _shares()
    return np.asarray(shares @ maps @ shares.T, np.float32)


@lru_cache(maxsize=1)
def _shares() -> Maps:
    """(56, 64): how much of each new cell lies in each old one, along an axis."""
    old, new = np.arange(CROP_GRID + 1), np.linspace(0, CROP_GRID, GRID + 1)
    low, high = np.maximum.outer(new[:-1], old[:-1]), np.minimum.outer(new[1:], old[1:])
    return np.asarray(np.clip(high - low, 0, None) * (GRID / CROP_GRID), np.float32)
