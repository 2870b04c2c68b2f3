"""netCDF files of the package `movement`; see `posedata.formats.keypoints.movement`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posedata.isolated.child import MOST_BYTES

if TYPE_CHECKING:
    import xarray

COORDINATES = ("time", "space", "keypoints", "individuals")

VARIABLES = {"position": COORDINATES, "confidence": ("time", "keypoints", "individuals")}
"""Variable -> its dimensions, in the order in which it is handed out."""


def load_netcdf(path: Path, names: list[str]) -> dict[str, Any]:
    """Variables, coordinates and attributes of those names that a netCDF file has; may crash the process."""
    import xarray

    with path.open("rb") as file:
        is_classic = file.read(3) == b"CDF"
    # Named, so that the same file is read alike whatever is installed; netCDF4 tries damaged ones again for seconds.
    with xarray.open_dataset(path, engine="scipy" if is_classic else "h5netcdf", decode_times=False) as dataset:
        lost = [name for name in ("position", *COORDINATES) if name not in dataset.variables]
        if lost:
            raise ValueError(f"no {', '.join(lost)}; is it a dataset of poses?")
        size = sum(dataset.variables[name].nbytes for name in names if name in dataset.variables)
        if size > MOST_BYTES:
            raise ValueError(f"{size:,} bytes of values, which is too large to be meant")
        present = [name for name in names if name in dataset.variables]
        found = {name: _values(dataset[name], VARIABLES.get(name, (name,))) for name in present}
        return found | {name: np.asarray(dataset.attrs[name]) for name in names if name in dataset.attrs}


def _values(variable: "xarray.DataArray", dims: tuple[str, ...]) -> NDArray[Any]:
    values = variable.transpose(*dims).values
    return np.asarray([str(value) for value in values]) if values.dtype == object else values
