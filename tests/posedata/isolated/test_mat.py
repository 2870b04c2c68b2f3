from pathlib import Path

import numpy as np
from scipy.io import savemat

from posedata.isolated.mat import load_mat


def test_variables_that_are_asked_for_and_there_are_read(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"x": np.arange(6.0).reshape(2, 3), "more": 1})
    found = load_mat(tmp_path / "a.mat", ["x", "absent"])
    assert list(found) == ["x"]
    np.testing.assert_array_equal(found["x"], [[0, 1, 2], [3, 4, 5]])
