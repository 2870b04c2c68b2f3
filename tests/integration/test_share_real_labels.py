"""A store of real labels, published, fetched into an empty data home, proven and trained on."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection

pytestmark = pytest.mark.real

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def swings(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All tennis serves of Penn Action."""
    store = tmp_path_factory.mktemp("real") / "serves.zarr"
    recipe = Recipe(datasets=(Selection(dataset="penn_action", actions=("tennis_serve",)),), noise=Noise(k=2.0))
    build_store(recipe, {"penn_action": shared / "penn_action"}, store)
    return store


@pytest.mark.parametrize("place", ["folder", "s3", "http"])
def test_a_colleague_trains_on_it(
    place: str, swings: Path, command: Command, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    def ok(*line: object) -> dict[str, object]:
        found = command(*line, "--json")
        assert found.returncode == 0, found.stderr
        return dict(json.loads(found.stdout))

    collection = str(tmp_path / "collection")
    if place == "s3":
        request.getfixturevalue("s3")
        collection = f"s3://pose/{uuid4().hex}"
    sent = ok("posedata", "push", swings, collection)
    if place == "http":
        collection = request.getfixturevalue("serve")(tmp_path / "collection")
    assert not (tmp_path / "home").exists()
    got = ok("posedata", "pull", f"{collection}/serves")
    assert got["content_digest"] == sent["content_digest"]
    assert ok("posedata", "verify", "serves")["ok"]
    ok("posetrain", "run", "--model", "smoothnet", "--epochs", 1, "--max-windows", 64)
    scores = ok("posetrain", "eval", "smoothnet-serves")
    assert scores["pck"]
