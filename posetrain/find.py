"""Find runs and the stores that they were trained on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, PoseDataError
from posedata.home import data_home, find_store
from posedata.skeleton import K
from posedata.splits import TRAIN
from posedata.store.opened import Opened
from posedata.store.reader import Store, open_store
from posetrain.checkpoints import RUN_NAME, SUMMARY_NAME, RunInfo, read_run


def find_run(given: Path) -> Path:
    """The run at a path or of that name in the data home.

    Raises:
        BadInputError: if there is none.
    """
    if run := run_at(given):
        return run
    runs = data_home() / "runs"
    there = ", ".join(path.relative_to(runs).as_posix() for path in _runs_below(runs)) or "no runs"
    raise BadInputError(f"{given}: expected a run there or in {runs} ({there}), found none")


def run_at(given: Path) -> Path | None:
    """The run at a path or of that name in the data home, if there is one."""
    return next((path for path in (given, data_home() / "runs" / given) if (path / RUN_NAME).is_file()), None)


def find_runs(given: Sequence[Path]) -> list[Path]:
    """Runs by name, each a run or a folder of runs; none given = all of the data home.

    Raises:
        BadInputError: if there are none.
    """
    runs = data_home() / "runs"
    found: dict[Path, Path] = {}
    for name in given or [runs]:
        there = next((there for path in (name, runs / name) if (there := _runs_at(path))), None)
        for path in there or [find_run(name)]:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _runs_at(path: Path) -> list[Path]:
    """The run at a path, or those in a folder."""
    return [path] if (path / RUN_NAME).is_file() else _runs_below(path)


def _runs_below(path: Path) -> list[Path]:
    """Runs in a folder or in folders of it; what begins with a dot is not finished, such as a pull that was cut."""
    return sorted(found.parent for depth in ("[!.]*", "[!.]*/[!.]*") for found in path.glob(f"{depth}/{RUN_NAME}"))


def find_unfinished_run() -> Path:
    """The newest run of the data home that has no summary.

    Raises:
        BadInputError: if all are finished.
    """
    runs = data_home() / "runs"
    found = [run for run in _runs_below(runs) if not (run / SUMMARY_NAME).exists()]
    if not found:
        raise BadInputError(f"{runs}: expected an unfinished run to resume, found none; name one with --out")
    return max(found, key=lambda run: (run / RUN_NAME).stat().st_mtime)


def new_run(model: str, store: Path) -> Path:
    """A free folder in the data home, named after model and store, and taken by making it."""
    runs, name = data_home() / "runs", f"{model}-{store.stem}"
    runs.mkdir(parents=True, exist_ok=True)
    path, number = runs / name, 1
    while True:
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
            path = runs / f"{name}-{number}"
        else:
            return path


def keypoints_seen(run: Path) -> NDArray[np.bool_] | None:
    """(25,) bool: what is annotated where a run was trained; None where its store cannot be had any more."""
    info = read_run(run)
    try:
        store = open_store(store_of_run(info))
        check_digest(run, info, store)
        return annotated_in_training(store)
    except PoseDataError:
        return None  # moved, changed, out of reach: the run is as good without it


def annotated_in(store: Store) -> NDArray[np.bool_]:
    """(25,) bool: what is annotated in any frame."""
    return np.asarray(store["annotated"].reshape(-1, K).any(axis=0))


def annotated_in_training(store: Store) -> NDArray[np.bool_]:
    """(25,) bool: what is annotated in any frame of the train split, of which alone a model learns."""
    return np.asarray(store["annotated"][store["split"] == TRAIN].any(axis=0))


def store_of_run(info: RunInfo) -> Path:
    """Where the store that a run was trained on lies now."""
    if "://" in info.store.path:
        return find_store(info.store.path)
    path = Path(info.store.path)
    return path if path.is_dir() else find_store(Path(path.name))


def check_digest(run: Path, info: RunInfo, store: Opened) -> None:
    """Raise BadInputError if the store is not the one that the run was trained on: its splits may be others."""
    if store.manifest.content_digest != info.store.content_digest:
        raise BadInputError(
            f"{store.path}: content digest: expected {info.store.content_digest} as {run} was trained on, "
            f"found {store.manifest.content_digest}; name a store with --store"
        )
