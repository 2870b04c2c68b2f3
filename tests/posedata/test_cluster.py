"""Builds on a cluster: a scheduler and two workers on loopback, and what goes wrong with them."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import Client

import posedata
from posedata import build, cluster
from posedata.build import build_store, dry_run
from posedata.config import Noise, Recipe, Selection
from posedata.errors import ChoiceError, RemoteError
from posedata.progress import Advance
from posedata.samples import write_sample
from posedata.shards import ShardFrames
from posedata.store.opened import verify

RECIPE = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise())


def start(*arguments: str, cwd: Path, **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=quiet, env=os.environ | environment)


@contextmanager
def scheduling(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A scheduler: its address, and its process."""
    told = folder / "scheduler.json"
    told.unlink(missing_ok=True)
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
    process = start("scheduler", *options, cwd=folder)
    try:
        wait_for(lambda: told.exists() and told.read_text().strip().endswith("}"))
        yield json.loads(told.read_text())["address"], process
    finally:
        process.kill()
        process.wait()


def wait_for(done: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """The address of one."""
    with scheduling(tmp_path) as (address, _):
        yield address


@contextmanager
def workers(scheduler: str, folder: Path, count: int, **environment: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
    command = ("worker", scheduler, *options, "--local-directory", str(folder))
    started = [start(*command, cwd=folder, **environment) for _ in range(count)]
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


@pytest.fixture(scope="module")
def whole(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The manifest of the store as it is made here."""
    store = tmp_path_factory.mktemp("whole") / "here.zarr"
    build_store(RECIPE, {"brace": raw}, store, workers=2)
    return (store / "manifest.json").read_bytes()


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


def test_a_cluster_makes_the_same_bytes_though_a_worker_is_killed(
    raw: Path, whole: bytes, scheduler: str, tmp_path: Path
) -> None:
    with workers(scheduler, tmp_path, 2) as started:
        there = tmp_path / "there.zarr"
        build_store(RECIPE, {"brace": raw}, there, scheduler=scheduler, progress=KillsOne(started[0]))
        assert started[0].wait() != 0
        assert started[1].poll() is None
    assert (there / "manifest.json").read_bytes() == whole
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
    assert not (tmp_path / "a.zarr").exists()


def test_a_lost_scheduler_costs_nothing_that_was_finished(raw: Path, whole: bytes, tmp_path: Path) -> None:
    stage, command = tmp_path / ".a.zarr.building", Path(sys.executable).parent / "posedata"
    with scheduling(tmp_path) as (address, process), workers(address, tmp_path, 1):
        arguments = ("build", "--dataset", "brace", "--raw", raw, "--out", "a.zarr", "--scheduler", address, "--quiet")
        building = subprocess.Popen([command, *arguments], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: len(finished(stage)) >= 2)
        process.kill()
        _, said = building.communicate(timeout=30)
    assert building.returncode == 7
    assert said.startswith(f"error: {address}: expected the scheduler to stay, found it gone; start another, or")
    assert said.count("\n") == 1
    assert 2 <= len(finished(stage)) < 8

    shutil.copytree(stage, tmp_path / ".b.zarr.building")
    kept = {
        name: {path: inode(tmp_path / f".{name}.building" / "store" / path) for path in finished(stage)}
        for name in ("a.zarr", "b.zarr")
    }
    with scheduling(tmp_path) as (address, _), workers(address, tmp_path, 1):
        build_store(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=address)
    build_store(RECIPE, {"brace": raw}, tmp_path / "b.zarr")
    for name, files in kept.items():
        assert (tmp_path / name / "manifest.json").read_bytes() == whole
        assert {path: inode(tmp_path / name / path) for path in files} == files


def finished(stage: Path) -> list[str]:
    """A file of every finished shard of a build."""
    journal = stage / "journal"
    lines = journal.read_text().split("\n")[1:-1] if journal.exists() else []
    return [json.loads(line)["files"][0]["path"] for line in lines]


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_machines_with_other_code_or_none_are_named(
    raw: Path, scheduler: str, tmp_path: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    other, none = other_code(tmp_path), tmp_path / "none"
    none.mkdir()
    (none / "posedata.py").write_text("raise ModuleNotFoundError(\"No module named 'posedata'\")")
    asked = ("build", "--dataset", "brace", "--raw", raw, "--out", "a.zarr", "--scheduler", scheduler, "--quiet")
    with workers(scheduler, tmp_path, 1, PYTHONPATH=str(other)), workers(scheduler, tmp_path, 1, PYTHONPATH=str(none)):
        wait_for(lambda: workers_of(scheduler) == 2)
        done = command("posedata", *asked)
    assert done.returncode == 7
    first, second = sorted(done.stderr.splitlines(), key=lambda line: "No module" in line)
    own = rf"posedata {posedata.__version__} \(code [0-9a-f]{{16}}\)"
    advice = "; install the same there as here, and start it again"
    address = r"error: tcp://127\.0\.0\.1:\d+"
    assert re.fullmatch(f"{address}: expected {own} as here, found {own}{advice}", first)
    assert re.fullmatch(f"{address}: expected {own}, found .*No module named 'posedata'.*{advice}", second)
    assert not list(tmp_path.glob("*a.zarr*"))


def other_code(folder: Path) -> Path:
    """A copy of the package in which one comment is new: for PYTHONPATH."""
    copy = folder / "other" / "posedata"
    shutil.copytree(Path(posedata.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "shards.py").write_text((copy / "shards.py").read_text() + "\n# another\n")
    return copy.parent


def workers_of(scheduler: str) -> int:
    with Client(scheduler) as client:
        return len(client.nthreads())


def test_a_worker_with_other_code_that_joins_later_is_refused(
    raw: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "check_cluster", lambda address: None)
    with (
        workers(scheduler, tmp_path, 1, PYTHONPATH=str(other_code(tmp_path))),
        pytest.raises(RemoteError, match=r"tcp://127\.0\.0\.1:\d+: expected posedata .* as here, found posedata"),
    ):
        build_store(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=scheduler)


def test_other_libraries_are_named() -> None:
    here = cluster.versions()
    there = here | {"numpy": "1.0", "scipy": "0.1"}
    expected = f"w: expected numpy {here['numpy']}, scipy {here['scipy']} as here, found numpy 1.0, scipy 0.1; install"
    with pytest.raises(RemoteError, match=re.escape(expected)) as caught:
        cluster._check_versions({"v": here, "w": there, "x": here | {"numpy": "2.0"}})
    assert len(caught.value.faults) == 2
    cluster._check_versions({"v": here})


@pytest.mark.parametrize(
    "address",
    ["", "host", "tcp://", "tcp://host", "tcp://:8786", "tcp://host:port", "tcp://host:99999", "http://host:80"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(
        ChoiceError, match=re.escape(f"--scheduler {address!r}: expected an address like tcp://host:8786")
    ):
        cluster.check_cluster(address)


def test_a_disk_that_fails_here_is_no_fault_of_the_cluster(scheduler: str, tmp_path: Path) -> None:
    def frames(shard: int) -> ShardFrames:
        raise OSError(errno.EIO, "Input/output error", "spool")

    with workers(scheduler, tmp_path, 1), pytest.raises(OSError, match="spool") as caught:
        list(cluster.encode_on_cluster(scheduler, [0], frames))
    assert not isinstance(caught.value, RemoteError)


def test_a_shard_that_no_worker_can_encode_is_told(scheduler: str, tmp_path: Path) -> None:
    broken = ShardFrames((), {}, (), 0, None, None, None)
    with (
        workers(scheduler, tmp_path, 1),
        pytest.raises(RemoteError, match="expected its workers to encode a shard, found KeyError: 'points'"),
    ):
        list(cluster.encode_on_cluster(scheduler, [0], lambda shard: broken))


def test_a_dry_run_asks_the_cluster(raw: Path, scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with workers(scheduler, tmp_path, 1):
        told = dry_run(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=scheduler)
    assert told["sequences"] == 8
    assert not (tmp_path / "a.zarr").exists()
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    with pytest.raises(RemoteError, match="expected a worker within 1 s"):
        dry_run(RECIPE, {"brace": raw}, tmp_path / "a.zarr", scheduler=scheduler)


def test_threads_here_and_a_cluster_exclude_each_other(
    raw: Path, command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    asked = ("build", "--dataset", "brace", "--raw", raw, "--scheduler", "tcp://host:8786", "--workers", "2")
    for more in ((), ("--dry-run",)):
        done = command("posedata", *asked, *more)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert done.stderr.startswith("error: --workers: expected without --scheduler, found both")


def test_a_detectors_heatmaps_stay_here(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    recipe = Recipe(datasets=(Selection(dataset="climbalong"),), noise=None, split="held-out")
    with pytest.raises(ChoiceError, match="--scheduler: expected a noisy store"):
        build_store(recipe, {"climbalong": raw_trees["climbalong"]}, tmp_path / "a.zarr", scheduler="tcp://x:1")
