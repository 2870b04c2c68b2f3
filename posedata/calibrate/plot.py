"""Pictures of a calibration: distances and their fit, widths and the set, k by joint."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import ndtr

from posedata.calibrate.calibration import Calibration
from posedata.calibrate.smear import TENTHS
from posedata.geometry import GRID

_BARS, _LINE = "#b8c8dc", "#c03a2b"


def draw(path: Path, found: Calibration, title: str) -> None:
    """A .png or .svg of three panels; the same bytes for the same calibration and library."""
    figure = Figure(figsize=(13, 4), layout="constrained")
    distances, widths, joints = figure.subplots(1, 3)
    _distances(distances, found)
    _widths(widths, found)
    _joints(joints, found)
    figure.suptitle(title)
    kind = path.suffix.lower().removeprefix(".")
    with mpl.rc_context({"svg.hashsalt": "posedata"}):
        figure.savefig(path, format=kind, metadata={"Date": None} if kind == "svg" else None)


def _distances(axes: Axes, found: Calibration) -> None:
    edges = np.arange(-GRID, GRID + 1) - 0.5
    axes.hist(found.residuals.ravel(), edges.tolist(), density=True, log=True, color=_BARS, label="measured")
    scaled = edges / found.mixture.std
    core = (1 - found.mixture.outliers) * (1 - found.mixture.exchanged) * np.diff(ndtr(scaled))
    axes.plot(edges[:-1] + 0.5, np.where(core > 1e-7, core, np.nan), color=_LINE, label=f"normal, k {found.noise.k:g}")
    axes.set(title="target to peak, either axis", xlabel="grid px", ylabel="share", ylim=(1e-6, 1))
    axes.legend(fontsize="small", frameon=False)


def _widths(axes: Axes, found: Calibration) -> None:
    edges = np.append(TENTHS - 0.5, TENTHS[-1] + 0.5) / 10
    weights = np.full(len(found.sigmas), 1 / len(found.sigmas))
    axes.hist(found.sigmas, edges.tolist(), weights=weights, color=_BARS, label="measured")
    for number, sigma in enumerate(found.noise.sigmas):
        axes.axvline(sigma, color=_LINE, linewidth=1, label=None if number else f"set, a {found.noise.sigma_per}")
    axes.set(title="width of the peaks", xlabel="sigma in cells", ylabel="share")
    axes.legend(fontsize="small", frameon=False)


def _joints(axes: Axes, found: Calibration) -> None:
    known = {name: joint.k for name, joint in found.joints.items() if joint.k is not None}
    axes.barh([name.replace("_", " ") for name in known], list(known.values()), color=_BARS)
    axes.axvline(found.noise.k, color=_LINE, linewidth=1)
    axes.invert_yaxis()
    axes.set(title="k by joint", xlabel="k")
