"""A small synthetic tree of photographs, and a store of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posedata.crops.build import build_crops
from posedata.crops.recipe import CropRecipe
from posedata.samples import write_sample

RECIPE = CropRecipe(dataset="coco")


@pytest.fixture(scope="session")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of 24 photographs; tests must not change it."""
    root = tmp_path_factory.mktemp("photographs") / "coco"
    write_sample("coco", root, sequences=24)
    return root


@pytest.fixture
def tree(photographs: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(photographs, tmp_path / "raw" / "coco"))


@pytest.fixture(scope="session")
def crops(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of it; tests must not change it."""
    out = tmp_path_factory.mktemp("crops") / "coco.zarr"
    build_crops(RECIPE, photographs, out)
    return out


@pytest.fixture
def edit(tree: Path) -> Callable[[Callable[[dict[str, Any]], object]], Path]:
    """Changes what the annotations of the training set hold, and gives their file."""

    def change(by: Callable[[dict[str, Any]], object]) -> Path:
        path = tree / "annotations" / "person_keypoints_train2017.json"
        content = json.loads(path.read_text())
        by(content)
        path.write_text(json.dumps(content))
        return path

    return change
