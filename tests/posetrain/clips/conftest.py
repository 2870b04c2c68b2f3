"""A small store of synthetic clips, and a model of them that is small too."""

from pathlib import Path

import pytest

from posedata.clips.build import build_clips
from posedata.clips.recipe import ClipRecipe
from posedata.clips.store import ClipStore, open_clips
from posedata.samples import write_sample


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 6 clips that train and 2 that validate; tests must not change it."""
    root = tmp_path_factory.mktemp("clips")
    write_sample("human36m", root / "raw", sequences=8)
    build_clips(ClipRecipe(dataset="human36m"), root / "raw", root / "human36m.zarr")
    return root / "human36m.zarr"


@pytest.fixture(scope="session")
def store(clip_path: Path) -> ClipStore:
    return open_clips(clip_path)
