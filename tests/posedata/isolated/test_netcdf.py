from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import xarray

from posedata.isolated import netcdf
from posedata.isolated.netcdf import COORDINATES, load_netcdf

POSITION = np.arange(24.0).reshape(3, 2, 2, 2)


def saved(path: Path, engine: Literal["h5netcdf", "scipy"] = "h5netcdf", **attributes: Any) -> Path:
    names = ([0, 1, 2], ["x", "y"], ["nose", "left_hip"], ["ann", "bob"])
    made = xarray.Dataset({"position": (COORDINATES, POSITION)}, dict(zip(COORDINATES, names, strict=True)), attributes)
    made.transpose("individuals", "time", "keypoints", "space").to_netcdf(path, engine=engine)
    return path


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_dimensions_come_in_one_order_and_attributes_as_arrays(
    engine: Literal["h5netcdf", "scipy"], tmp_path: Path
) -> None:
    path = saved(tmp_path / "a.nc", engine, fps=25.0, ds_type="poses", other=1)
    found = load_netcdf(path, ["position", "confidence", "individuals", "fps", "ds_type"])
    assert found.keys() == {"position", "individuals", "fps", "ds_type"}
    np.testing.assert_array_equal(found["position"], POSITION)
    assert found["individuals"].tolist() == ["ann", "bob"]
    assert (found["fps"].item(), found["ds_type"].item()) == (25.0, "poses")


def test_what_is_no_dataset_of_poses_or_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    xarray.Dataset({"position": ("time", [1.0])}).to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match=r"^no time, space, keypoints, individuals; is it a dataset of poses"):
        load_netcdf(tmp_path / "a.nc", ["position"])
    monkeypatch.setattr(netcdf, "MOST_BYTES", POSITION.nbytes - 1)
    with pytest.raises(ValueError, match=r"^192 bytes of values, which is too large to be meant"):
        load_netcdf(saved(tmp_path / "b.nc"), ["position"])
