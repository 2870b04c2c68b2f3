"""From files to figures: a detector that is known is found again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import ndtr

from posedata.calibrate.calibration import LEAST, Calibration, Measured, calibrate, measure
from posedata.calibrate.mixture import EDGE, Peaks, loss
from posedata.calibrate.source import find_source
from posedata.errors import BadInputError
from posedata.geometry import to_cells
from posedata.progress import silent
from posedata.store.reader import open_store

from .conftest import PAIRED, PARTNER, Detector, Simulated, write_tree

QUIET = Detector(ground=0.002)
"""A ground that moves no peak and cuts no tail."""

KNOWN = [
    replace(QUIET, k=0.5, sigmas=(1.0,), outliers=0.02, swaps=0.03, seed=1),
    replace(QUIET, k=1.0, seed=2),
    replace(QUIET, k=1.0, sigmas=(1.0, 2.0, 4.0), sigma_per="keypoint", outliers=0.05, swaps=0.05, seed=3),
    replace(QUIET, k=2.0, outliers=0.03, swaps=0.1, blank=0.05, seed=4),
    replace(QUIET, k=2.0, sigmas=(1.0, 3.0), sigma_per="sequence", sequences=8, frames=30, outliers=0.2, seed=5),
]


def found_by(root: Path, detector: Detector) -> tuple[Simulated, Measured, Calibration]:
    truth = write_tree(root, detector)
    measured = measure(find_source(root, "all"), silent)
    return truth, measured, calibrate(measured)


def sampling_errors(measured: Measured, detector: Detector, std: float) -> np.ndarray:
    """Standard errors of log s, o and t: the inverse of the Fisher information at the truth, by differences."""
    targets = measured.targets.astype(float)
    used = (measured.cells[..., 0] >= 0) & ((targets >= EDGE) & (targets <= 56 - EDGE)).all(axis=-1)
    partners = np.where(PAIRED[:, None], targets[:, PARTNER], np.nan)
    peaks = Peaks(measured.cells[used], targets[used], partners[used])
    truth = np.asarray([np.log(std), max(detector.outliers, 1e-3), max(detector.swaps, 1e-3) / (1 - detector.outliers)])
    information = len(peaks.cells) * approx_fprime(truth, lambda p: loss(p, peaks)[1], 1e-6)
    return np.asarray(np.sqrt(np.diag(np.linalg.inv(information))))


@pytest.mark.parametrize("detector", KNOWN, ids=lambda d: f"k{d.k:g}-{d.sigma_per}")
def test_a_known_detector_is_found_within_four_standard_errors(detector: Detector, tmp_path: Path) -> None:
    truth, measured, found = found_by(tmp_path, detector)
    assert found.torso == pytest.approx(truth.torso, rel=1e-5)
    log_s, o, t = 4 * sampling_errors(measured, detector, truth.std)
    assert log_s < 0.06, "a tolerance that lets anything pass"
    assert abs(np.log(found.noise.k / detector.k)) < log_s + 1e-3  # k is told in thousandths
    assert abs(found.mixture.outliers - detector.outliers) < o
    assert abs(found.mixture.swaps - detector.swaps) < t
    assert found.noise.sigmas == pytest.approx(detector.sigmas, abs=0.1 + 1e-9)
    assert len(detector.sigmas) == 1 or found.noise.sigma_per == detector.sigma_per
    assert max(map(abs, found.offset)) < 4 * truth.std / np.sqrt(len(found.residuals)) + 0.02


def test_the_set_is_exact_where_peaks_lie_in_cells(tmp_path: Path) -> None:
    found = found_by(tmp_path, replace(QUIET, sequences=8))[2]
    assert found.noise.sigmas == (1.0, 1.5, 2.0, 2.5, 3.0)
    assert found.misfit < 0.15


def test_an_offset_is_told(tmp_path: Path) -> None:
    found = found_by(tmp_path, replace(QUIET, offset=1.5))[2]
    assert found.offset == pytest.approx((1.5, 1.5), abs=0.2)


def test_the_sample_s_own_detector_is_found(raw_trees: dict[str, Path]) -> None:
    """Its peaks are 1.6 wide and shifted by 1.5 grid px: see `posedata.samples.climbalong`."""
    found = calibrate(measure(find_source(raw_trees["climbalong"], "all"), silent))
    assert found.mixture.std == pytest.approx(1.5, rel=4 / np.sqrt(4 * len(found.residuals)) + 0.03)
    assert set(found.noise.sigmas) <= {1.5, 1.6, 1.7}
    assert found.mixture.swaps < 0.01


@pytest.mark.parametrize("name", ["brace", "penn_action", "speed21"])
def test_the_noise_of_a_rendered_store_is_found_again(name: str, stores: dict[str, Path]) -> None:
    noise = open_store(stores[name]).attributes["recipe"]["noise"]
    found = calibrate(measure(find_source(stores[name], "all"), silent))
    assert found.noise.k == pytest.approx(noise["k"], rel=4 / np.sqrt(4 * len(found.residuals)) + 0.01)
    assert found.noise.sigmas == pytest.approx(noise["sigmas"], abs=0.11)
    assert found.noise.sigma_per == "frame"
    assert found.mixture.outliers < 1e-3


def frames(count: int) -> Measured:
    """The same pose in every frame: a shoulder 10 px above a hip, peaks in their targets' cells."""
    targets = np.full((count, 25, 2), np.nan, np.float32)
    targets[:, 3], targets[:, 15] = (20.3, 20.3), (20.3, 30.3)
    cells = to_cells(targets)
    return Measured(targets, cells, np.where(cells[..., 0] < 0, np.nan, 1.5).astype(np.float32), np.zeros(count, int))


def test_what_is_not_measured_is_counted() -> None:
    measured = frames(200)
    measured.cells[:7, 3] = -1
    measured.targets[:5, 15] = 0, 30
    measured.targets[5:9, 15] = 30, 53
    found = calibrate(measured)
    assert (found.zero_heatmaps, found.near_border, len(found.residuals)) == (7, 9, 400 - 16)
    assert (found.joints["shoulder"].keypoints, found.joints["shoulder"].zero_heatmaps) == (193, 7)
    assert (found.joints["hip"].keypoints, found.joints["hip"].sigma) == (191, 1.5)
    nose = found.joints["nose"]
    assert (nose.keypoints, nose.k, nose.sigma) == (0, None, None)


def test_strays_count_neither_for_the_widths_nor_for_the_offset() -> None:
    measured = frames(200)
    measured.cells[:20, 3] = 45, 45
    measured.sigmas[:20, 3] = 6.0
    found = calibrate(measured)
    assert found.mixture.outliers == pytest.approx(0.05, abs=0.01)
    assert found.sigmas.max() == pytest.approx(1.5)
    assert found.offset == pytest.approx((0.2, 0.2), abs=0.01)


def test_a_width_counts_unless_its_peak_is_a_stray_more_likely_than_not() -> None:
    """Peaks at 20 distances, each with a width that tells it; the likelihoods are those of a cell, by hand."""
    measured, off = frames(400), np.arange(20)
    shifts = np.random.default_rng(0).normal(0, 2, (400, 2))
    measured.cells[:, 3] = np.floor(20.3 + shifts)
    measured.cells[:20, 3] = 45, 45
    measured.cells[20:40, 3] = np.stack([20 + off, np.full(20, 20)], axis=-1)
    measured.sigmas[20:40, 3] = 2 + 0.1 * off
    found = calibrate(measured)
    s, o = found.mixture.std, found.mixture.outliers
    core = (ndtr((off + 0.7) / s) - ndtr((off - 0.3) / s)) * (ndtr(0.7 / s) - ndtr(-0.3 / s))
    likelier = (1 - o) * core > o / 56**2
    share = o / 56**2 / (o / 56**2 + (1 - o) * core)
    assert ((share > 0.5) & (share < 0.999)).any()
    told = np.unique(found.sigmas[found.sigmas > 1.9].round(1)).tolist()
    assert told == (2 + 0.1 * off[likelier]).astype(np.float32).round(1).tolist()


def test_too_few_are_refused() -> None:
    assert calibrate(frames(LEAST // 2)).frames == LEAST // 2
    with pytest.raises(BadInputError, match=rf"expected at least {LEAST} .* found {LEAST - 2};"):
        calibrate(frames(LEAST // 2 - 1))


def test_frames_without_a_torso_are_refused() -> None:
    measured = frames(200)
    measured.targets[:, 14] = measured.targets[:, 15]
    measured.targets[:, 15] = np.nan
    measured.cells[:, 14] = measured.cells[:, 15]
    with pytest.raises(BadInputError, match=r"^mean torso"):
        calibrate(measured)


def test_torsos_of_no_length_are_refused() -> None:
    measured = frames(200)
    measured.targets[:, 15] = measured.targets[:, 3]
    with pytest.raises(BadInputError, match=r"^mean torso: expected shoulders and hips that lie apart"):
        calibrate(measured)


def two_sides(count: int) -> Measured:
    """`frames` with the other side 20 px beside."""
    measured = frames(count)
    other = measured.targets[:, [3, 15]] + np.asarray([20, 0], np.float32)
    measured.targets[:, [4, 16]], measured.cells[:, [4, 16]] = other, to_cells(other)
    measured.sigmas[:, [4, 16]] = 1.5
    return measured


def test_swaps_are_told_of_keypoints_with_a_partner_alone() -> None:
    """Nothing tells of them where one side is annotated: neither of all, nor of a joint."""
    alone = calibrate(frames(200))
    assert (alone.swaps, alone.mixture.exchanged, alone.joints["hip"].swap_rate) == (None, 0, None)
    assert calibrate(two_sides(200)).joints["hip"].swap_rate == pytest.approx(0, abs=1e-3)
    few = two_sides(200)
    few.targets[LEAST // 4 :, [4, 16]] = np.nan  # so many left shoulders and hips have a partner, as have theirs
    found = calibrate(few)
    assert (found.swaps is None, found.joints["hip"].swap_rate) == (False, None)


def test_sides_that_are_exchanged_are_refused() -> None:
    measured = two_sides(200)
    measured.cells[:, [3, 4, 15, 16]] = measured.cells[:, [4, 3, 16, 15]]
    with pytest.raises(BadInputError, match=r"^peaks: expected at least 100 at their own .* found 0, 800 at the other"):
        calibrate(measured)


def test_shifts_of_another_unit_than_the_torso_are_refused() -> None:
    measured = frames(200)
    measured.targets[:, 15] = measured.targets[:, 3] + 0.01
    measured.cells[:] = np.random.default_rng(0).integers(0, 56, measured.cells.shape)
    with pytest.raises(BadInputError, match=r"^k: expected at most 100, found"):
        calibrate(measured)


def test_peaks_near_the_border_alone_have_no_width() -> None:
    measured = frames(200)
    measured.sigmas[:] = np.nan
    with pytest.raises(BadInputError, match=r"^sigma: expected peaks that are no outliers, 6 cells"):
        calibrate(measured)
