import os
import shutil
from pathlib import Path

import pytest

from posedata.errors import BadInputError
from posedata.home import data_home, find_store, is_stray


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    return tmp_path


def touch(path: Path, age: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    os.utime(path, (1_000_000_000 - age,) * 2)


def test_the_newest_store_is_taken(home: Path) -> None:
    touch(home / "stores" / "old.zarr" / "manifest.json", age=10)
    touch(home / "stores" / "new.zarr" / "manifest.json")
    touch(home / "stores" / ".x.zarr.building" / "store" / "manifest.json", age=-10)
    assert find_store(None) == home / "stores" / "new.zarr"


def test_the_newest_of_a_kind_is_taken(home: Path, stores: dict[str, Path]) -> None:
    shutil.copytree(stores["brace"], home / "stores" / "brace.zarr")
    os.utime(home / "stores" / "brace.zarr" / "manifest.json", (1_000_000_000,) * 2)
    assert find_store(None, "temporal-heatmaps") == home / "stores" / "brace.zarr"
    for kind, dataset in (("image-crops", "coco"), ("video-clips", "human36m")):
        with pytest.raises(BadInputError, match=rf"of kind {kind}, found none; .* sample {dataset} && "):
            find_store(None, kind)
    touch(home / "stores" / "odd.zarr" / "manifest.json", age=-10)  # it says no kind: whoever opens it tells why
    assert find_store(None, "image-crops") == home / "stores" / "odd.zarr"


def test_a_store_is_found_by_path_or_name(home: Path) -> None:
    store = home / "stores" / "a.zarr"
    touch(store / "manifest.json")
    assert find_store(store) == find_store(Path("a.zarr")) == find_store(Path("a")) == store
    with pytest.raises(BadInputError, match="b: expected a store"):
        find_store(Path("b"))


def test_a_folder_that_has_the_name_of_a_store_hides_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = home / "stores" / "a.zarr"
    touch(store / "manifest.json")
    monkeypatch.chdir(home)
    (home / "a").mkdir()
    assert find_store(Path("a")) == store
    touch(home / "a" / "manifest.json")
    assert find_store(Path("a")) == Path("a")


def test_a_name_with_a_slip_is_told_of_the_one_like_it(home: Path) -> None:
    touch(home / "stores" / "brace-k1-random.zarr" / "manifest.json")
    with pytest.raises(BadInputError, match=r"found none; is it brace-k1-random\?"):
        find_store(Path("brace-k1-randm"))


def test_what_has_nothing_of_a_store_is_none(home: Path) -> None:
    (home / "notes.txt").write_text("mine")
    (home / "empty").mkdir()
    assert [is_stray(home / name) for name in ("notes.txt", "empty", "gone")] == [True, True, False]
    (home / "empty" / "zarr.json").write_text("{}")
    assert not is_stray(home / "empty")


def test_without_a_store_the_message_says_how_to_make_one(home: Path) -> None:
    with pytest.raises(BadInputError, match="posedata build"):
        find_store(None)


@pytest.mark.parametrize(("value", "home"), [("/x/y", "/x/y"), ("", "data"), (None, "data")])
def test_the_data_home_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, value: str | None, home: str
) -> None:
    if value is None:
        monkeypatch.delenv("POSEDATA_HOME", raising=False)
    else:
        monkeypatch.setenv("POSEDATA_HOME", value)
    assert data_home() == Path(home)
