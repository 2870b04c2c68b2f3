"""Builds on a cluster: a scheduler and two workers on loopback, and what goes wrong with them."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from posedata import cluster
from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.errors import ChoiceError, RemoteError
from posedata.progress import Advance
from posedata.samples import write_sample
from posedata.store.reader import verify

RECIPE = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise())


def start(*arguments: str, cwd: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=quiet)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of one."""
    told = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    process = start("scheduler", *options, cwd=tmp_path)
    end = time.monotonic() + 60
    while not (told.exists() and told.read_text().strip().endswith("}")) and time.monotonic() < end:
        time.sleep(0.05)
    yield json.loads(told.read_text())["address"]
    process.kill()
    process.wait()


@contextmanager
def workers(scheduler: str, folder: Path, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    started = [start("worker", scheduler, *options, "--local-directory", str(folder), cwd=folder) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Frames for eight shards."""
    root = tmp_path_factory.mktemp("raw") / "brace"
    write_sample("brace", root, sequences=8, frames=3800)
    return root


class KillsOne:
    """A progress that ends a worker as soon as the first shard is written."""

    def __init__(self, victim: subprocess.Popen[bytes]) -> None:
        self.victim = victim

    @contextmanager
    def __call__(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        def advance(done: int) -> None:
            if what == "writing" and done:
                self.victim.kill()

        yield advance


def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(raw: Path, scheduler: str, tmp_path: Path) -> None:
    build_store(RECIPE, {"brace": raw}, tmp_path / "here.zarr", workers=2)
    with workers(scheduler, tmp_path, 2) as started:
        there = tmp_path / "there.zarr"
        build_store(RECIPE, {"brace": raw}, there, scheduler=scheduler, progress=KillsOne(started[0]))
        assert started[0].wait() != 0
        assert started[1].poll() is None
    assert (there / "manifest.json").read_bytes() == (tmp_path / "here.zarr" / "manifest.json").read_bytes()
    assert verify(there)[1] == []


def test_a_scheduler_without_workers_is_told(
    raw: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    with pytest.raises(RemoteError, match=r"expected a worker within 1 s, found none; start one with `dask worker"):
        build_store(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=scheduler)
    assert not (tmp_path / "a.zarr").exists()


def test_no_scheduler_is_told(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 3)
    with pytest.raises(RemoteError, match="expected a dask scheduler, found none"):
        build_store(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler="tcp://127.0.0.1:9")


def test_workers_with_other_code_are_refused(
    raw: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "fingerprint", lambda: "another")
    with workers(scheduler, tmp_path, 1), pytest.raises(ChoiceError, match="expected workers with this version"):
        build_store(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=scheduler)


def test_a_detectors_heatmaps_stay_here(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    recipe = Recipe(datasets=(Selection(dataset="climbalong"),), noise=None, split="held-out")
    with pytest.raises(ChoiceError, match="--scheduler: expected a noisy store"):
        build_store(recipe, {"climbalong": raw_trees["climbalong"]}, tmp_path / "a.zarr", scheduler="tcp://x:1")
