"""From crops of people to heatmaps as ClimbAlong has them: 25 keypoints on 56 x 56 cells."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from posedata.crops.geometry import GRID as CROP_GRID
from posedata.errors import ChoiceError, IntegrityError
from posedata.geometry import GRID
from posedata.skeleton import COCO_17, INDEX, K
from posetrain.checkpoints import RUN_NAME, read_run
from posetrain.crops.kind import MEAN_RGB
from posetrain.crops.tasks import Detection
from posetrain.find import find_run
from posetrain.history import load_best
from posetrain.models import find_model
from posetrain.trained import load_model

Maps = NDArray[np.float32]

_KNOWN = [(j, INDEX[name]) for j, name in enumerate(COCO_17) if name is not None]
_JOINTS, _KEYPOINTS = (list(numbers) for numbers in zip(*_KNOWN, strict=True))


@dataclass(frozen=True, eq=False)
class Detector:
    """A detector that is ready to be used.

    Attributes:
        model: what says heatmaps.
        name: of the architecture.
        epoch: of the weights.
        mean_rgb: (3,) float32, the mean colour of what it was trained on.
    """

    model: nn.Module
    name: str
    epoch: int
    mean_rgb: Maps


def open_detector(what: Path, device: torch.device) -> Detector:
    """The best epoch of a detector's run, by its path or name; its store is not needed.

    Raises:
        BadInputError: if there is no such run, or no epoch is finished.
        ChoiceError: if it is of another model.
        IntegrityError: if files are damaged.
    """
    run = find_run(what)
    info = read_run(run)
    name = info.config.model
    if not isinstance(find_model(name).task, Detection):
        raise ChoiceError(f"{run}: expected a run of an hourglass that says keypoints, found one of {name}")
    if len(colour := info.store.facts.get(MEAN_RGB, ())) != 3:
        raise IntegrityError(f"{run / RUN_NAME}: facts.{MEAN_RGB}: expected 3 numbers, found {len(colour)}; train anew")
    epoch, weights = load_best(run)
    model = load_model(run, info.config, weights, device)
    return Detector(model, name, epoch, np.asarray(colour, np.float32))


@torch.inference_mode()
def heatmaps_of(detector: Detector, crops: NDArray[np.uint8], device: torch.device) -> Maps:
    """What a detector says of some crops, unchanged but for its grid: negative values stay.

    Args:
        detector: see `open_detector`.
        crops: (n, 256, 256, 3) RGB.
        device: where the detector is.

    Returns:
        (n, 25, 56, 56) float32 over the same squares; zeros of keypoints that COCO does not have.
    """
    said = detector.model(torch.from_numpy(crops - detector.mean_rgb).to(device).movedim(-1, 1))
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
