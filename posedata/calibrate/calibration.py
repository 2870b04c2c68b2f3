"""From a detector's output beside its annotations to the noise that is most like it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.calibrate import mixture, smear
from posedata.calibrate.mixture import EDGE, Mixture, Peaks
from posedata.calibrate.source import Block, Source
from posedata.config import Noise
from posedata.errors import BadInputError
from posedata.geometry import GRID
from posedata.heatmaps import decode
from posedata.noise import SHIFT_SHARE
from posedata.progress import Progress
from posedata.skeleton import GROUPS, PAIRS, K

Floats = NDArray[np.float64]

LEAST = 100
"""Keypoints. Of fewer nothing is told: k would be uncertain by a twentieth, and a rate of 3 % by 2 %."""


MOST_K = 100
"""As a recipe has it."""


@dataclass(frozen=True, eq=False)
class Measured:
    """Every keypoint of N frames.

    Attributes:
        targets: (N, 25, 2) grid positions, NaN = not annotated.
        cells: (N, 25, 2), x y of the peak; -1 = not annotated, or a heatmap of zeros.
        sigmas: (N, 25) width of the peak in cells, NaN = not measured.
        sequence: (N,) number of each frame's sequence.
    """

    targets: NDArray[np.float32]
    cells: NDArray[np.int8]
    sigmas: NDArray[np.float32]
    sequence: NDArray[np.int64]


@dataclass(frozen=True)
class Joint:
    """Of one joint, both sides; None = too few to tell.

    Attributes:
        keypoints: measured.
        zero_heatmaps: annotated keypoints whose heatmap is all zeros.
        k: shifting scalar.
        outlier_rate: share of strays.
        swap_rate: share of swapped sides, of the keypoints with a partner.
        sigma: median width in cells.
    """

    keypoints: int
    zero_heatmaps: int
    k: float | None
    outlier_rate: float | None
    swap_rate: float | None
    sigma: float | None


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was found.

    Attributes:
        noise: k, sigma set and what shares a sigma, as a build takes them.
        mixture: of the peaks.
        swaps: share of swapped ones among the keypoints that have a partner; None = too few have one to tell.
        torso: mean torso diameter in grid px.
        offset: mean shift of the core, x y in grid px; noise has none.
        misfit: see `smear.misfit`.
        frames: measured.
        zero_heatmaps: annotated keypoints whose heatmap is all zeros: not measured.
        near_border: keypoints whose target is nearer than `EDGE` to the border: not measured.
        joints: by joint.
        residuals: (n, 2) grid px from target to peak of the measured keypoints.
        sigmas: (m,) cells, of those that are no strays and far enough from the border.
    """

    noise: Noise
    mixture: Mixture
    swaps: float | None
    torso: float
    offset: tuple[float, float]
    misfit: float
    frames: int
    zero_heatmaps: int
    near_border: int
    joints: dict[str, Joint]
    residuals: Floats
    sigmas: NDArray[np.float32]


def measure(source: Source, progress: Progress) -> Measured:
    """Peaks and widths of all annotated keypoints.

    Raises:
        BadInputError: if raw data is faulty.
        IntegrityError: if a store is damaged.
    """
    blocks = []
    with progress("measuring", source.frames, "frames") as advance:
        for block in source.blocks():
            blocks.append((block.targets, *_peaks(block), block.sequence))
            advance(len(block.sequence))
    return Measured(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def _peaks(block: Block) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Cells and widths, see `Measured`."""
    cells = np.full((*block.targets.shape[:2], 2), -1, np.int8)
    sigmas = np.full(cells.shape[:2], np.nan, np.float32)
    annotated = ~np.isnan(block.targets[..., 0])
    annotated &= (block.heatmaps > 0).any(axis=(-2, -1))
    heatmaps = block.heatmaps[annotated].astype(np.float32)
    cells[annotated] = np.floor(decode(heatmaps))
    sigmas[annotated] = smear.widths(heatmaps, cells[annotated])
    return cells, sigmas


def calibrate(found: Measured) -> Calibration:
    """The noise that is most like what was measured.

    k is s / (0.2 * mean torso diameter): the shift of seed 000, section 1.2.1, solved for k.

    Raises:
        BadInputError: if there is too little to measure.
    """
    annotated = ~np.isnan(found.targets[..., 0])
    zero = annotated & (found.cells[..., 0] < 0)
    inside = ((found.targets >= EDGE) & (found.targets <= GRID - EDGE)).all(axis=-1)
    used = annotated & ~zero & inside
    torso = geometry.torso_diameters(found.targets.astype(np.float64))
    _check(int(used.sum()), torso)
    unit = SHIFT_SHARE * float(torso[~np.isnan(torso)].mean())
    peaks = _chosen(found, used)
    whole = mixture.fit(peaks)
    if whole.std > MOST_K * unit:
        raise BadInputError(
            f"k: expected at most {MOST_K}, found {whole.std / unit:.4g}: shifts of {whole.std:.4g} grid px at a mean "
            f"torso of {unit / SHIFT_SHARE:.4g}; are heatmaps and keypoints of the same boxes?"
        )
    shares = mixture.shares(peaks, whole)
    _check_core(shares)
    residuals = mixture.residuals(peaks)
    offset = np.average(residuals, axis=0, weights=shares[:, 0])
    sigmas = np.full(found.sigmas.shape, np.nan, np.float32)
    sigmas[used] = np.where(shares[:, 2] < 1 / 2, found.sigmas[used], np.nan)
    known = sigmas[~np.isnan(sigmas)]
    if not len(known):
        where = f"{smear.REACH} cells from the border or more"
        raise BadInputError(f"sigma: expected peaks that are no outliers, {where}, found none")
    members = smear.sigma_set(known)
    return Calibration(
        noise=Noise(k=round(whole.std / unit, 3), sigmas=members, sigma_per=smear.shared_by(sigmas, found.sequence)),
        mixture=whole,
        swaps=_swaps(peaks, whole),
        torso=unit / SHIFT_SHARE,
        offset=(float(offset[0]), float(offset[1])),
        misfit=smear.misfit(known, members),
        frames=len(found.sequence),
        zero_heatmaps=int(zero.sum()),
        near_border=int((annotated & ~zero & ~inside).sum()),
        joints=dict(_joints(found, used, zero, sigmas, whole, unit)),
        residuals=residuals,
        sigmas=known,
    )


def _check(keypoints: int, torso: Floats) -> None:
    if keypoints < LEAST:
        raise BadInputError(
            f"keypoints: expected at least {LEAST} with a target {EDGE} cells from the border or more and a heatmap "
            f"that is not all zeros, found {keypoints}; calibrate on more frames"
        )
    if np.isnan(torso).all():
        raise BadInputError("mean torso: expected a frame with shoulder and hip of one side, found none")
    if not np.nanmax(torso) > 0:
        raise BadInputError("mean torso: expected shoulders and hips that lie apart, found none; k is measured by it")


def _check_core(shares: Floats) -> None:
    """Of the (n, 3) shares of `mixture.shares`."""
    own, swapped, strays = (round(total) for total in shares.sum(axis=0).tolist())
    if own < LEAST:
        raise BadInputError(
            f"peaks: expected at least {LEAST} at their own keypoints, found {own:,}, {swapped:,} at the other side's "
            f"and {strays:,} outliers; are left and right exchanged in the heatmaps or in the annotations?"
        )


def _swaps(peaks: Peaks, fitted: Mixture) -> float | None:
    """The rate, where enough have a partner."""
    return fitted.swaps if peaks.paired >= LEAST else None


def _chosen(found: Measured, used: NDArray[np.bool_]) -> Peaks:
    """The peaks of some keypoints, with their partners' targets."""
    partner = np.arange(K)
    for left, right in PAIRS:
        partner[[left, right]] = right, left
    targets = found.targets.astype(np.float64)
    partners = np.where((partner == np.arange(K))[:, None], np.nan, targets[:, partner])
    return Peaks(found.cells[used], targets[used], partners[used])


def _joints(
    found: Measured,
    used: NDArray[np.bool_],
    zero: NDArray[np.bool_],
    sigmas: NDArray[np.float32],
    whole: Mixture,
    unit: float,
) -> Iterator[tuple[str, Joint]]:
    for name, numbers in GROUPS.items():
        mine = np.zeros_like(used)
        mine[:, list(numbers)] = used[:, list(numbers)]
        count, zeros = int(mine.sum()), int(zero[:, list(numbers)].sum())
        if count < LEAST:
            yield name, Joint(count, zeros, None, None, None, None)
            continue
        peaks = _chosen(found, mine)
        fitted = mixture.fit(peaks, whole)
        widths = sigmas[mine]
        widths = widths[~np.isnan(widths)]
        yield (
            name,
            Joint(
                count,
                zeros,
                round(fitted.std / unit, 3),
                fitted.outliers,
                _swaps(peaks, fitted),
                round(float(np.median(widths)), 1) if len(widths) else None,
            ),
        )


def report(source: Source, split: str, found: Calibration) -> dict[str, Any]:
    """What the command tells: the keys that scripts rely on."""
    return {
        "source": str(source.path),
        "content_digest": source.digest,
        "split": split,
        "synthetic": source.synthetic,
        "frames": found.frames,
        "keypoints": len(found.residuals),
        "zero_heatmaps": found.zero_heatmaps,
        "near_border": found.near_border,
        "mean_torso_diameter": found.torso,
        "shift_std": found.mixture.std,
        "offset": list(found.offset),
        "k": found.noise.k,
        "outlier_rate": found.mixture.outliers,
        "swap_rate": found.swaps,
        "sigmas": list(found.noise.sigmas),
        "sigma_per": found.noise.sigma_per,
        "sigma_misfit": found.misfit,
        "per_joint": {name: asdict(joint) for name, joint in found.joints.items()},
    }
