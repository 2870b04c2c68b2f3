import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.store.reader import Store
from posetrain import find
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.config import TrainConfig


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    return tmp_path


def touch(path: Path, age: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    os.utime(path, (1_000_000_000 - age,) * 2)


def test_runs_are_found_by_path_or_name_and_others_listed(home: Path) -> None:
    touch(home / "runs" / "r1" / "run.json")
    assert find.find_run(Path("r1")) == find.find_run(home / "runs" / "r1") == home / "runs" / "r1"
    with pytest.raises(BadInputError, match=r"\(r1\)"):
        find.find_run(Path("r2"))


def test_the_newest_unfinished_run_is_resumed(home: Path) -> None:
    with pytest.raises(BadInputError, match="unfinished"):
        find.find_unfinished_run()
    touch(home / "runs" / "a" / "run.json", age=20)
    touch(home / "runs" / "b" / "run.json", age=10)
    touch(home / "runs" / "c" / "run.json")
    touch(home / "runs" / "c" / "summary.json")
    assert find.find_unfinished_run() == home / "runs" / "b"
    touch(home / "runs" / ".d.building" / "run" / "run.json", age=-10)  # a pull that was cut
    touch(home / "runs" / "many" / ".e.building" / "run.json", age=-20)
    assert find.find_unfinished_run() == home / "runs" / "b"


def test_a_new_run_gets_a_free_name(home: Path) -> None:
    first = find.new_run("conv3d", Path("x/brace.zarr"))
    assert first == home / "runs" / "conv3d-brace"
    assert first.is_dir()  # taken by making it, so that two runs begun at once do not share it
    assert find.new_run("conv3d", Path("x/brace.zarr")) == home / "runs" / "conv3d-brace-2"


def test_a_store_that_moved_into_the_home_is_found(home: Path) -> None:
    touch(home / "stores" / "a.zarr" / "manifest.json")
    info = RunInfo(config=TrainConfig(), store=StoreReference(path="gone/a.zarr", content_digest=""))
    assert find.store_of_run(info) == home / "stores" / "a.zarr"


def test_the_store_of_a_run_is_known_by_its_content(noisy: Store, detected: Store) -> None:
    trained = StoreReference(path="elsewhere/a.zarr", content_digest=noisy.manifest.content_digest)
    info = RunInfo(config=TrainConfig(), store=trained)
    find.check_digest(Path("runs/r1"), info, noisy)
    with pytest.raises(
        BadInputError, match=r"climbalong\.zarr: content digest: .* as runs/r1 was trained on.* --store"
    ):
        find.check_digest(Path("runs/r1"), info, detected)


def test_a_run_knows_what_is_annotated_where_it_was_trained_and_not_in_other_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of train, validation, test, held out and no split; in each but the first a keypoint more."""
    arrays = {"split": np.asarray([0, 1, 2, 3, 255], np.uint8), "annotated": np.zeros((5, 25), bool)}
    arrays["annotated"][:, 3] = True
    arrays["annotated"][range(5), range(3, 8)] = True

    class Few(dict[str, np.ndarray]):
        manifest = SimpleNamespace(content_digest="d")

    monkeypatch.setattr(find, "open_store", lambda path: Few(arrays))
    info = RunInfo(config=TrainConfig(), store=StoreReference(path=str(tmp_path), content_digest="d"))
    (tmp_path / "run.json").write_text(info.model_dump_json())
    seen = find.keypoints_seen(tmp_path)
    assert seen is not None
    assert np.flatnonzero(seen).tolist() == [3]
    assert np.flatnonzero(find.annotated_in(Few(arrays))).tolist() == [3, 4, 5, 6, 7]  # type: ignore[arg-type]
