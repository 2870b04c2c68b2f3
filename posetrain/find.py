"""Find stores and runs by path or by name in the data home."""

from pathlib import Path

from posedata.config import data_home
from posedata.errors import BadInputError
from posedata.manifest import MANIFEST_NAME
from posetrain.checkpoints import RUN_NAME, SUMMARY_NAME, RunInfo


def find_store(given: Path | None) -> Path:
    """The store at a path or of that name in the data home; None = the newest there.

    Raises:
        BadInputError: if there is none; the message says how to make one.
    """
    stores = data_home() / "stores"
    if given is None:
        found = stores_in_home()
        if not found:
            raise BadInputError(
                f"{stores}: expected a store, found none; make one: "
                "posedata sample brace && posedata build --dataset brace"
            )
        return found[-1]
    for path in (given, stores / given, stores / f"{given}.zarr"):
        if path.is_dir():
            return path
    raise BadInputError(f"{given}: expected a store there or in {stores}, found none")


def stores_in_home() -> list[Path]:
    """The stores of the data home, the newest last."""
    manifests = (data_home() / "stores").glob(f"*/{MANIFEST_NAME}")
    return [path.parent for path in sorted(manifests, key=lambda path: path.stat().st_mtime)]


def find_run(given: Path) -> Path:
    """The run at a path or of that name in the data home.

    Raises:
        BadInputError: if there is none.
    """
    runs = data_home() / "runs"
    for path in (given, runs / given):
        if (path / RUN_NAME).is_file():
            return path
    there = ", ".join(sorted(path.parent.name for path in runs.glob(f"*/{RUN_NAME}"))) or "no runs"
    raise BadInputError(f"{given}: expected a run there or in {runs} ({there}), found none")


def find_unfinished_run() -> Path:
    """The newest run of the data home that has no summary.

    Raises:
        BadInputError: if all are finished.
    """
    runs = data_home() / "runs"
    found = [path for path in runs.glob(f"*/{RUN_NAME}") if not (path.parent / SUMMARY_NAME).exists()]
    if not found:
        raise BadInputError(f"{runs}: expected an unfinished run to resume, found none; name one with --out")
    return max(found, key=lambda path: path.stat().st_mtime).parent


def new_run(model: str, store: Path) -> Path:
    """A free folder in the data home, named after model and store."""
    runs, name = data_home() / "runs", f"{model}-{store.stem}"
    path, number = runs / name, 2
    while path.exists():
        path, number = runs / f"{name}-{number}", number + 1
    return path


def store_of_run(info: RunInfo) -> Path:
    """Where the store that a run was trained on lies now."""
    path = Path(info.store.path)
    return path if path.is_dir() else find_store(Path(path.name))
