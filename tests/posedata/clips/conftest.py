"""A small synthetic folder of clips, and a store of it."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.clips.build import build_clips
from posedata.clips.recipe import ClipRecipe
from posedata.samples import write_sample

RECIPE = ClipRecipe(dataset="human36m")


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 6 clips that train and 2 that validate; tests must not change it."""
    root = tmp_path_factory.mktemp("films") / "human36m"
    write_sample("human36m", root, sequences=8)
    return root


@pytest.fixture
def tree(films: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(films, tmp_path / "raw" / "human36m"))


@pytest.fixture(scope="session")
def clips(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of it; tests must not change it."""
    out = tmp_path_factory.mktemp("clips") / "human36m.zarr"
    build_clips(RECIPE, films, out)
    return out


@pytest.fixture
def edit(tree: Path) -> Callable[[str, Callable[[NDArray[Any]], NDArray[Any]]], Path]:
    """Puts another array into a file, made from what it holds, and gives its path."""

    def change(name: str, by: Callable[[NDArray[Any]], NDArray[Any]]) -> Path:
        path = tree / f"{name}.npy"
        np.save(path, by(np.load(path)))
        return path

    return change
