"""From a run to a page, as a user would have it."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch

from posedata.crops.store import CropStore
from posedata.errors import ChoiceError, ConflictError
from posedata.progress import silent
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.explain.explaining import explain
from posetrain.training import train

CPU = torch.device("cpu")
Command = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run(crops: CropStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of one step on two crops."""
    path = tmp_path_factory.mktemp("runs") / "mine"
    train(TrainConfig(model="hourglass", width=16, epochs=1, max_windows=2, batch_size=2), crops, path, device=CPU)
    return path


def write(run: Path, out: Path, overwrite: bool = False) -> dict[str, object]:
    return explain(
        run, out, store=None, split="validation", most=5, seed=0, overwrite=overwrite, device=CPU, progress=silent
    )


def test_the_command_writes_one_page_and_tells_its_figures(run: Path, command: Command, tmp_path: Path) -> None:
    done = command("posetrain", "explain", run, "--split", "validation", "--samples", 5, "--out", "e.html", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["run"], told["split"], told["samples"]) == ("mine", "validation", 5)
    text = (tmp_path / "e.html").read_text("utf-8")
    assert "What mine has learned" in text
    again = write(run, tmp_path / "f.html")
    assert again.items() <= told.items()
    assert (tmp_path / "f.html").read_text("utf-8") == text


def test_a_page_that_is_there_stays(run: Path, tmp_path: Path) -> None:
    (tmp_path / "e.html").write_text("mine")
    with pytest.raises(ConflictError):
        write(run, tmp_path / "e.html")
    assert (tmp_path / "e.html").read_text() == "mine"


def test_nothing_is_written_into_the_store(run: Path, crops: CropStore) -> None:
    with pytest.raises(ChoiceError, match="outside"):
        write(run, crops.path / "e.html")


def test_a_refiner_has_no_such_page(noisy: Store, command: Command, tmp_path: Path) -> None:
    train(TrainConfig(model="smoothnet", epochs=1, max_windows=2), noisy, tmp_path / "other", device=CPU)
    done = command("posetrain", "explain", "other", "--out", "e.html")
    assert done.returncode == 2
    assert "expected a run of an hourglass that says keypoints, found one of smoothnet" in done.stderr
    assert not (tmp_path / "e.html").exists()
    done = command("posetrain", "explain", "other", "--out", "e.html", "--seed", 2**32)  # k-means takes none above
    assert (done.returncode, "--seed" in done.stderr) == (2, True)
