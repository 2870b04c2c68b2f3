import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from posedata.errors import ConflictError, InUseError, ResourceError
from posedata.locks import hold_for_reading
from posedata.manifest import MANIFEST_NAME
from posedata.store.schema import KIND
from posedata.store.staging import check_target, publish, staged


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "stores" / "a.zarr"


def make_store(path: Path, content: str) -> None:
    path.mkdir(parents=True)
    (path / MANIFEST_NAME).write_text(json.dumps({"kind": KIND}))
    (path / "values").write_text(content)


def around(target: Path) -> list[str]:
    return sorted(p.name for p in target.parent.iterdir())


def test_a_published_store_stands_alone(target: Path) -> None:
    with staged(target, overwrite=False) as stage:
        assert stage.parent == target.parent
        assert list(stage.iterdir()) == []
        make_store(stage / "store", "new")
        (stage / "spool").write_text("scratch")
        assert not target.exists()
        publish(stage / "store", target)
        assert (target / "values").read_text() == "new"
    assert around(target) == ["a.zarr"]
    assert (target / "values").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_nothing(target: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), staged(target, overwrite=False) as stage:
        make_store(stage / "store", "half")
        raise error
    assert around(target) == []


def test_an_exception_leaves_the_store_that_stood_there(target: Path) -> None:
    make_store(target, "old")
    with pytest.raises(ValueError, match="broken"), staged(target, overwrite=True) as stage:
        make_store(stage / "store", "half")
        raise ValueError("broken")
    assert around(target) == ["a.zarr"]
    assert (target / "values").read_text() == "old"


def test_a_store_is_replaced_in_one_step(target: Path) -> None:
    make_store(target, "old")
    with staged(target, overwrite=True) as stage:
        make_store(stage / "store", "new")
        publish(stage / "store", target)
        assert (target / "values").read_text() == "new"
        assert (stage / "store" / "values").read_text() == "old"
    assert around(target) == ["a.zarr"]
    assert (target / "values").read_text() == "new"


def test_a_signal_while_the_replaced_store_is_removed_leaves_nothing_of_it(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_store(target, "old")
    remove, signals = os.unlink, [KeyboardInterrupt]

    def unlink(*arguments: object, **options: object) -> None:
        if signals:
            raise signals.pop()
        remove(*arguments, **options)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt), staged(target, overwrite=True) as stage:
        make_store(stage / "store", "new")
        publish(stage / "store", target)
        monkeypatch.setattr(os, "unlink", unlink)
    assert not signals
    assert around(target) == ["a.zarr"]
    assert (target / "values").read_text() == "new"


def test_at_no_moment_of_a_replacement_is_there_no_store(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_store(target, "old")
    with staged(target, overwrite=True) as stage:
        make_store(stage / "store", "new")
        for name in ("rename", "replace"):
            monkeypatch.setattr(Path, name, lambda *paths: pytest.fail(f"more than one step: {paths}"))
        publish(stage / "store", target)
    assert (target / "values").read_text() == "new"


def test_two_stages_of_one_target_conflict(target: Path) -> None:
    with staged(target, overwrite=False) as stage:
        (stage / "mine").write_text("kept")
        with pytest.raises(ConflictError, match=r"a\.zarr: .*another process"), staged(target, overwrite=False):
            pytest.fail("two stages at once")
        assert (stage / "mine").read_text() == "kept"
    with staged(target, overwrite=False) as stage:
        assert list(stage.iterdir()) == []


def test_another_process_conflicts_too(target: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from posedata.errors import ConflictError\n"
        "from posedata.store.staging import staged\n"
        "try:\n"
        "    with staged(pathlib.Path(sys.argv[1]), False): print('taken')\n"
        "except ConflictError: print('conflict')\n"
    )
    command = [sys.executable, "-c", code, str(target)]
    with staged(target, overwrite=False):
        inside = subprocess.run(command, capture_output=True, text=True, check=True)
    after = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (inside.stdout, after.stdout) == ("conflict\n", "taken\n")


def test_stages_of_different_targets_do_not_conflict(target: Path) -> None:
    with staged(target, overwrite=False) as one, staged(target.with_name("b.zarr"), overwrite=False) as two:
        assert one != two


@pytest.mark.parametrize("what", ["store", "folder", "file", "link", "dangling link"])
def test_what_stands_at_the_target_is_not_replaced_unasked(target: Path, what: str) -> None:
    place(target, what)
    with pytest.raises(ConflictError, match=r"a\.zarr: expected no such path"), staged(target, overwrite=False):
        pytest.fail("staged over something")
    assert MARK not in around(target)


@pytest.mark.parametrize("what", ["folder", "file", "link", "dangling link"])
def test_only_stores_are_ever_replaced(target: Path, what: str) -> None:
    place(target, what)
    before = around(target)
    with pytest.raises(ConflictError, match="expected one of its kind to overwrite"), staged(target, overwrite=True):
        pytest.fail("staged over what is no store")
    with pytest.raises(ConflictError):
        check_target(target, overwrite=True)
    assert around(target) == before


MARK = ".a.zarr.building"


def place(target: Path, what: str) -> None:
    target.parent.mkdir()
    other = target.with_name("other")
    if what == "store":
        make_store(target, "old")
    elif what == "folder":
        (target / "precious").mkdir(parents=True)
    elif what == "file":
        target.write_text("precious")
    else:
        if what == "link":
            other.mkdir()
        target.symlink_to(other)


def test_a_free_target_passes_the_check(target: Path) -> None:
    check_target(target, overwrite=False)
    check_target(target, overwrite=True)


def test_what_a_killed_process_left_is_removed(target: Path) -> None:
    code = (
        "import os, sys, pathlib, signal\n"
        "from posedata.store.staging import staged\n"
        "with staged(pathlib.Path(sys.argv[1]), False) as stage:\n"
        "    (stage / 'spool').mkdir(); (stage / 'spool' / 'x').write_text('x'); (stage / 'y').symlink_to('spool')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert killed.returncode == -9
    assert around(target) == [MARK]
    with staged(target, overwrite=False) as stage:
        assert list(stage.iterdir()) == []
    assert around(target) == []


def test_what_a_killed_process_left_is_kept_if_it_is_to_be_resumed(target: Path) -> None:
    (target.with_name(MARK) / "store").mkdir(parents=True)
    with staged(target, overwrite=False, resume=True) as stage:
        assert [path.name for path in stage.iterdir()] == ["store"]
    assert around(target) == []


def test_what_another_user_put_there_is_not_kept(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (target.with_name(MARK) / "store").mkdir(parents=True)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with staged(target, overwrite=False, resume=True) as stage:
        assert list(stage.iterdir()) == []


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_to_be_resumed_and_a_signal_does_not(target: Path, error: type[BaseException]) -> None:
    (target.with_name(MARK) / "store").mkdir(parents=True)
    (target.with_name(MARK) / "store" / "part").write_text("so far")
    with pytest.raises(error), staged(target, overwrite=False, resume=True):
        raise error
    assert around(target) == ([] if error is KeyboardInterrupt else [MARK])


def test_of_what_is_kept_something_was_made(target: Path) -> None:
    with pytest.raises(ResourceError), staged(target, overwrite=False, keep=True) as stage:
        (stage / "store").mkdir()
        raise ResourceError("no space for any of it")
    assert around(target) == []


def test_a_full_disk_is_told_of_the_target(target: Path) -> None:
    with pytest.raises(OSError, match="No space") as caught, staged(target, overwrite=False):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(target)


@pytest.mark.parametrize("name", ["store", "journal", "store/shot/c/0"])
def test_nothing_behind_a_planted_link_is_touched_or_kept(target: Path, tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    link = target.with_name(MARK) / name
    link.parent.mkdir(parents=True)
    link.symlink_to(precious / "file" if name.endswith("0") else precious)
    with staged(target, overwrite=False, resume=True) as stage:
        assert list(stage.iterdir()) == []
    assert (precious / "file").read_text() == "kept"


def test_a_reader_in_the_way_costs_no_work(target: Path) -> None:
    make_store(target, "old")
    reader = Reader()
    with pytest.raises(InUseError), staged(target, overwrite=True, resume=True) as stage:
        make_store(stage / "store", "new")
        hold_for_reading(target, reader)
        publish(stage / "store", target)
    assert (target / "values").read_text() == "old"
    assert (target.with_name(MARK) / "store" / "values").read_text() == "new"
    with pytest.raises(InUseError), staged(target, overwrite=True, resume=True):
        pytest.fail("begun though it could not be finished")
    del reader
    with staged(target, overwrite=True, resume=True) as stage:
        publish(stage / "store", target)
    assert (target / "values").read_text() == "new"
    assert around(target) == ["a.zarr"]


class Reader:
    """Whatever keeps a store open."""


def test_a_link_in_the_place_of_the_stage_is_not_followed(target: Path) -> None:
    precious = target.parent / "precious"
    precious.mkdir(parents=True)
    (precious / "file").write_text("kept")
    target.with_name(MARK).symlink_to(precious)
    with pytest.raises((ConflictError, OSError)), staged(target, overwrite=False) as stage:
        pytest.fail(f"staged in {stage.resolve()}")
    assert (precious / "file").read_text() == "kept"


def test_a_lost_target_folder_is_made(tmp_path: Path) -> None:
    deep = tmp_path / "x" / "y" / "z.zarr"
    with staged(deep, overwrite=False) as stage:
        make_store(stage / "store", "new")
        publish(stage / "store", deep)
    assert (deep / "values").read_text() == "new"


def test_a_folder_with_someone_elses_manifest_is_not_replaced(target: Path) -> None:
    target.mkdir(parents=True)
    (target / MANIFEST_NAME).write_text('{"name": "extension"}')
    (target / "thesis.txt").write_text("years")
    with pytest.raises(ConflictError, match="something else"), staged(target, overwrite=True):
        pytest.fail("staged")
    assert (target / "thesis.txt").read_text() == "years"


def test_a_disk_that_fails_is_not_taken_for_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(path: Path) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    (tmp_path / "a.zarr").mkdir()
    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(OSError, match="Input/output error"):
        check_target(tmp_path / "a.zarr", overwrite=True)
