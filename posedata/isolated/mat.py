"""MATLAB 5 files."""

from pathlib import Path
from typing import Any


def load_mat(path: Path, names: list[str]) -> dict[str, Any]:
    """The variables of those names that a MATLAB file has; may crash the process."""
    from scipy.io import loadmat

    mat = loadmat(path, variable_names=names)
    return {name: mat[name] for name in names if name in mat}
