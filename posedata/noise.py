"""Draws: shifts and smears of the noisy input, errors of boxes. Pure; every draw has its own place.

A draw depends on (seed, sequence, purpose, frame, keypoint) and on nothing else: neither on the order in which
sequences are worked on, nor on workers, chunks or which keypoints are present. It comes from Philox 4x64, a
counter-based generator (Salmon et al. 2011), keyed by a hash of the first three and counted by frame.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from posedata.skeleton import K

SHIFT_SHARE = 0.2
"""x of seed 000, section 1.2.1: the share of the mean torso diameter by which k = 1 shifts."""

_WORDS = 4
"""64-bit words that Philox 4x64 yields for one count."""


def _words(seed: int, sequence: str, purpose: str, frames: range, width: int) -> NDArray[np.uint64]:
    """(len(frames), width) random words; frame t owns the same words whatever range asks for it."""
    key = hashlib.sha256(f"{seed}\n{sequence}\n{purpose}".encode()).digest()
    counts = -(-width // _WORDS)
    philox = np.random.Philox(key=np.frombuffer(key[:16], "<u8").astype(np.uint64), counter=frames.start * counts)
    words = philox.random_raw(len(frames) * counts * _WORDS).reshape(len(frames), counts * _WORDS)
    return words[:, :width]


def _normals(seed: int, sequence: str, purpose: str, frames: range, width: int) -> NDArray[np.float64]:
    """(len(frames), width) standard normal numbers.

    They come by the inverse of the cumulative distribution, so numpy's choice of method does not matter.
    """
    words = _words(seed, sequence, purpose, frames, width)
    uniform = ((words >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    return np.asarray(ndtri(uniform))


def standard_shifts(seed: int, sequence: str, frames: range) -> NDArray[np.float64]:
    """Standard normal shifts; the same for every k, which only scales them.

    Args:
        seed: the recipe's seed.
        sequence: "dataset/name".
        frames: positions within the sequence, step 1.

    Returns:
        (len(frames), 25, 2) float64, drawn for all keypoints whether present or not.
    """
    return _normals(seed, sequence, "shift", frames, K * 2).reshape(len(frames), K, 2)


def standard_box_errors(seed: int, sequence: str, frames: range) -> NDArray[np.float64]:
    """Standard normal errors of boxes; the same for every share, which only scales them.

    Args:
        seed: the recipe's seed.
        sequence: "dataset/name".
        frames: positions within the sequence, step 1.

    Returns:
        (len(frames), 3) float64: of the place in x and y, and of the size; drawn for empty frames, too.
    """
    return _normals(seed, sequence, "box", frames, 3)


def sigma_choices(seed: int, sequence: str, frames: range, choices: int, per: str) -> NDArray[np.intp]:
    """Which sigma of a set blurs each frame, or each keypoint of it, uniformly.

    Args:
        seed: the recipe's seed.
        sequence: "dataset/name".
        frames: positions within the sequence, step 1.
        choices: size of the set.
        per: what shares one draw: "frame", "keypoint" (of a frame) or "sequence".

    Returns:
        (T,) for "frame" and "sequence", (T, 25) for "keypoint"; int in 0..choices-1.
    """
    where = range(1) if per == "sequence" else frames
    words = _words(seed, sequence, "sigma", where, K)
    # The top 32 bits scaled to 0..choices-1: exact integers, and a bias below choices / 2^32.
    drawn = ((words >> np.uint64(32)) * np.uint64(choices) >> np.uint64(32)).astype(np.intp)
    if per == "keypoint":
        return drawn
    return np.broadcast_to(drawn[:, 0], (len(frames),))
