"""Tiny runs, trained and scored once; tests must not change them."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch

from posedata import open_store
from posedata.progress import silent
from posetrain import checkpoints
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.config import TrainConfig
from posetrain.filters import FILTERS
from posetrain.report import collect
from posetrain.report.collect import Block, Trained, load_trained, score_all
from posetrain.report.page import Contents
from posetrain.report.windows import contents_of
from posetrain.report.write import write_report
from posetrain.training import train

CPU = torch.device("cpu")
OPTIONS = {"feed": "auto", "sequences": False}


@pytest.fixture(scope="module", autouse=True)
def _quick(one_thread: None) -> None:
    """Scores and pictures do not need more."""


@pytest.fixture(scope="session")
def runs(
    stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, alone: Callable[[], AbstractContextManager[None]]
) -> Path:
    """A folder of runs: two on one store, one of them finetuned on a climbing store, and one that never got far."""
    folder = tmp_path_factory.mktemp("trained")
    noisy, climbing = open_store(stores["penn_action"]), open_store(stores["climbalong"])
    plain = TrainConfig(model="smoothnet", epochs=2, max_windows=8, batch_size=4)
    tuned = plain.model_copy(update={"init": str(folder / "smooth")})
    with alone():
        train(plain, noisy, folder / "smooth", device=CPU)
        train(TrainConfig(epochs=1, max_windows=4, batch_size=4), noisy, folder / "conv", device=CPU)
        train(tuned, climbing, folder / "tuned", device=CPU)
    reference = StoreReference(path=str(noisy.path), content_digest=noisy.manifest.content_digest)
    checkpoints.write_json(folder / "begun" / "run.json", RunInfo(config=plain, store=reference).model_dump())
    return folder


@pytest.fixture(scope="session")
def trained(runs: Path) -> dict[str, Trained]:
    """Those of which an epoch is finished, by name."""
    return {run.name: run for run in load_trained([runs / name for name in ("smooth", "conv", "tuned")], CPU)[0]}


@pytest.fixture(scope="session")
def blocks(trained: dict[str, Trained], alone: Callable[[], AbstractContextManager[None]]) -> list[Block]:
    """All runs beside all baselines."""
    with alone():
        return score_all(list(trained.values()), CPU, "auto", silent)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One filter over one span, where it does not matter which."""
    monkeypatch.setattr(collect, "FILTERS", {"gaussian": FILTERS["gaussian"]})
    monkeypatch.setattr(collect, "SPANS", ("window",))


@pytest.fixture(scope="session")
def report(
    runs: Path, tmp_path_factory: pytest.TempPathFactory, alone: Callable[[], AbstractContextManager[None]]
) -> Iterator[tuple[Path, Contents]]:
    """A report with few filters: its folder and contents."""
    out = tmp_path_factory.mktemp("reports") / "report"
    with pytest.MonkeyPatch.context() as patch, alone():
        patch.setattr(collect, "FILTERS", {"gaussian": FILTERS["gaussian"]})
        patch.setattr(collect, "SPANS", ("window",))
        given = [runs / name for name in ("smooth", "begun", "tuned")]
        contents = contents_of(given, CPU, "auto", silent)
        write_report(given, out, False, OPTIONS, set(), CPU, silent)
    yield out, contents
