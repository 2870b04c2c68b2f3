"""Stores handed from one team member to another, through the commands."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from places import S3Server

from posedata.errors import ConflictError, RemoteError, ResourceError
from posedata.files import sha256_file
from posedata.manifest import MANIFEST_NAME, read_manifest, write_manifest
from posedata.sharing.catalogue import find_dataset
from posedata.sharing.folder import Folder
from posedata.sharing.pull import pull
from posedata.sharing.push import push
from posedata.store.opened import verify

Command = Callable[..., subprocess.CompletedProcess[str]]
Serve = Callable[..., str]


def ok(found: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert found.returncode == 0, found.stderr
    return dict(json.loads(found.stdout))


def contents(store: Path) -> dict[str, bytes]:
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in store.rglob("*") if path.is_file()}


@pytest.fixture(params=["folder", "s3", "http"])
def pushed(
    request: pytest.FixtureRequest, command: Command, stores: dict[str, Path], tmp_path: Path, serve: Serve
) -> str:
    """URL of a collection with the dataset `brace`; pushed to a folder if it is read over HTTP."""
    url = str(tmp_path / "collection")
    if request.param == "s3":
        request.getfixturevalue("s3")
        url = f"s3://pose/{uuid4().hex}"
    report = ok(command("posedata", "push", stores["brace"], url, "--json"))
    assert report["url"] == f"{url}/brace"
    return serve(tmp_path / "collection") if request.param == "http" else url


def test_a_colleague_gets_the_very_bytes(
    pushed: str, command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    planned = ok(command("posedata", "pull", f"{pushed}/brace", "--dry-run", "--json"))
    store = tmp_path / "home" / "stores" / "brace.zarr"
    assert not store.exists()
    report = ok(command("posedata", "pull", f"{pushed}/brace", "--json"))
    assert contents(store) == contents(stores["brace"])
    assert report["store"] == str(store)
    assert (report["files"], report["bytes"]) == (planned["files"], planned["bytes"])
    assert report["files"] == len(read_manifest(store).files)
    assert ok(command("posedata", "pull", f"{pushed}/brace", "--json"))["unchanged"]

    listed = ok(command("posedata", "list", pushed, "--json"))["datasets"]
    assert [row["dataset"] for row in listed] == ["brace"]  # type: ignore[attr-defined]
    status = ok(command("posedata", "status", pushed, "--json"))
    assert status["same"]


@pytest.mark.parametrize("pushed", ["folder"], indirect=True)
def test_what_is_here_is_not_fetched_again(
    pushed: str, command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    """A store of other noise has the same targets."""
    ok(command("posedata", "pull", f"{pushed}/brace", "--json"))
    report = ok(command("posedata", "pull", f"{pushed}/brace", "--out", tmp_path / "twin.zarr", "--json"))
    assert (report["files"], report["bytes"]) == (0, 0)
    assert contents(tmp_path / "twin.zarr") == contents(stores["brace"])


@pytest.mark.parametrize("pushed", ["http"], indirect=True)
def test_a_pull_mends_a_damaged_store(pushed: str, command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    ok(command("posedata", "pull", f"{pushed}/brace", "--json"))
    store = tmp_path / "home" / "stores" / "brace.zarr"
    victim = store / "target_heatmaps" / "c" / "0" / "0" / "0" / "0"
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")
    status = command("posedata", "status", pushed, "--json")
    assert status.returncode == 4
    assert json.loads(status.stdout)["datasets"][0]["state"] == "damaged"
    ok(command("posedata", "pull", f"{pushed}/brace", "--overwrite", "--json"))
    assert contents(store) == contents(stores["brace"])


@pytest.mark.parametrize("pushed", ["folder", "s3"], indirect=True)
def test_info_and_training_need_no_full_copy(pushed: str, command: Command, tmp_path: Path) -> None:
    info = ok(command("posedata", "info", f"{pushed}/brace", "--json"))
    (mirror,) = (tmp_path / "home" / "cache" / "mirrors").glob("*.zarr")
    assert info["frames"] == 468 or info["frames"]
    assert not list(mirror.glob("*_heatmaps/c/*"))
    run = ok(command("posetrain", "run", f"{pushed}/brace", "--model", "smoothnet", "--epochs", "1", "--json"))
    assert run["epochs"] == 1
    # Coordinates are looked up from cells and sigmas: no heatmaps were fetched.
    assert list(mirror.glob("target_cells/c/*"))
    assert not list(mirror.glob("*_heatmaps/c/*"))
    done = command("posedata", "verify", f"{pushed}/brace")
    assert done.returncode == 0, done.stderr
    assert list(mirror.glob("*_heatmaps/c/*"))


def test_nothing_is_overwritten_unless_asked(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    url = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], url, "--name", "people", "--json"))
    other = command("posedata", "push", stores["speed21"], url, "--name", "people")
    assert other.returncode == 6
    assert "expected no other dataset of this name" in other.stderr
    planned = ok(
        command("posedata", "push", stores["speed21"], url, "--name", "people", "--overwrite", "--dry-run", "--json")
    )
    assert planned["files"]
    before = json.loads((url / "people.json").read_text())
    assert before["recipe"]["datasets"][0]["dataset"] == "brace"
    ok(command("posedata", "push", stores["speed21"], url, "--name", "people", "--overwrite", "--json"))
    after = json.loads((url / "people.json").read_text())
    assert after["recipe"]["datasets"][0]["dataset"] == "speed21"
    assert "# people\n" in (url / "people.md").read_text()  # not the store's own name
    assert "speed21" in (url / "people.md").read_text()
    assert "(people.svg)" in (url / "people.md").read_text()
    assert (url / "people.svg").read_bytes() == (stores["speed21"] / "preview.svg").read_bytes()

    # The manifest of the older version, kept elsewhere, still gets its bytes.
    (tmp_path / "old.json").write_text(json.dumps(before))
    ok(command("posedata", "pull", tmp_path / "old.json", "--json"))
    assert contents(tmp_path / "home" / "stores" / "people.zarr") == contents(stores["brace"])
    newer = command("posedata", "pull", f"{url}/people")
    assert newer.returncode == 6
    assert "--overwrite" in newer.stderr
    status = command("posedata", "status", url)
    assert status.returncode == 4
    assert "differs" in status.stdout


def test_names_are_found_in_manifests_and_in_the_collection(
    command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    url = str(tmp_path / "collection")
    ok(command("posedata", "push", stores["brace"], "--json", POSEDATA_REMOTE=url))
    ok(command("posedata", "pull", "brace", "--json", POSEDATA_REMOTE=url))
    (tmp_path / "data_manifests").mkdir()
    shutil.copy(tmp_path / "collection" / "brace.json", tmp_path / "data_manifests" / "mine.json")
    ok(command("posedata", "pull", "mine", "--out", tmp_path / "x.zarr", "--json"))
    lost = command("posedata", "pull", "yours")
    assert lost.returncode == 3
    assert "POSEDATA_REMOTE" in lost.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("push", "STORE"), 2, ["POSEDATA_REMOTE"]),
        (("push", "STORE", "COLLECTION", "--name", "a/b"), 2, ["--name", "a/b"]),
        (("push", "nothing", "COLLECTION"), 3, ["nothing", "posedata build"]),
        (("push", "STORE", "https://example.org/x", "--dry-run"), 2, ["https://example.org/x", "found a web server"]),
        (("push", "STORE", "gs://bucket/x"), 2, ["gs://", "s3://"]),
        (("pull", "COLLECTION/other"), 7, ["other", "has brace"]),
        (("pull", "http://user:pw@127.0.0.1/x/y"), 2, ["without user and password"]),
        (("pull", "http://127.0.0.1:9/x/y"), 7, ["127.0.0.1:9"]),
        (("list", "COLLECTION/none"), 7, ["expected a folder"]),
        (("status",), 2, ["POSEDATA_REMOTE"]),
        (("status", "COLLECTION"), 4, []),
        (("status", "COLLECTION", "--dataset", "nobody"), 4, []),
        (("info", "http://127.0.0.1:9/x/y"), 7, ["127.0.0.1:9"]),
    ],
)
def test_faults(
    command: Command, stores: dict[str, Path], tmp_path: Path, arguments: tuple[str, ...], code: int, words: list[str]
) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    places = {"STORE": str(stores["brace"])}
    given = [places.get(a, a.replace("COLLECTION", str(collection))) for a in arguments]
    found = command("posedata", *given, no_proxy="*")
    assert found.returncode == code, found.stderr
    assert all(word in found.stderr for word in words), found.stderr
    assert "Traceback" not in found.stderr


def test_a_dataset_under_another_name_is_refused(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    (collection / "brace.json").rename(collection / "precious.json")
    found = command("posedata", "pull", f"{collection}/precious")
    assert found.returncode == 7
    assert "precious.json: name: expected that of the file, found brace" in found.stderr


def test_another_version_is_another_dataset(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    again = command("posedata", "push", stores["brace"], collection, "--version", "2")
    assert again.returncode == 6
    ok(command("posedata", "push", stores["brace"], collection, "--version", "2", "--overwrite", "--json"))
    assert json.loads((collection / "brace.json").read_text())["version"] == "2"


def test_signatures_get_into_no_manifest(command: Command, stores: dict[str, Path]) -> None:
    found = command("posedata", "manifest", stores["brace"], "--location", "https://h/x?X-Amz-Signature=topsecret")
    assert found.returncode == 2
    assert "topsecret" not in found.stdout + found.stderr


@pytest.mark.parametrize("pushed", ["folder", "http"], indirect=True)
def test_a_published_store_is_described_and_pushed_on_without_a_pull(
    pushed: str, command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    described = ok(command("posedata", "manifest", f"{pushed}/brace"))
    (mirror,) = (tmp_path / "home" / "cache" / "mirrors").glob("*.zarr")
    assert not list(mirror.glob("*_heatmaps/c/*"))
    assert described == ok(command("posedata", "manifest", stores["brace"]))
    other = tmp_path / "other"
    assert ok(command("posedata", "push", f"{pushed}/brace", other, "--json"))["dataset"] == "brace"
    ok(command("posedata", "pull", other / "brace", "--json"))
    assert contents(tmp_path / "home" / "stores" / "brace.zarr") == contents(stores["brace"])


def test_many_read_one_mirror_at_once(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    home = str(tmp_path / "home")
    readers = [start("verify", f"{collection}/brace", "--quiet", POSEDATA_HOME=home) for _ in range(4)]
    told = [reader.communicate(timeout=120)[1] for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * 4, told


def test_parts_that_nobody_goes_on_with_leave_a_mirror(
    command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    ok(command("posedata", "info", f"{collection}/brace", "--json"))
    (mirror,) = (tmp_path / "home" / "cache" / "mirrors").glob("*.zarr")
    old, young = mirror / "box" / ".0.7-7..part", mirror / "box" / ".0.8-8..part"
    for part, age in ((old, 25 * 3600), (young, 23 * 3600)):
        part.write_bytes(b"x")
        os.utime(part, (time.time() - age,) * 2)
    ok(command("posedata", "info", f"{collection}/brace", "--json"))
    assert (old.exists(), young.exists()) == (False, True)


def test_a_damaged_mirror_heals(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    ok(command("posedata", "verify", f"{collection}/brace", "--json"))
    (mirror,) = (tmp_path / "home" / "cache" / "mirrors").glob("*.zarr")
    for name in ("target_cells/c/0/0/0", "zarr.json", "sources.csv"):
        (mirror / name).write_bytes(b"")
    ok(command("posedata", "verify", f"{collection}/brace", "--json"))


@pytest.mark.parametrize("page", ["<html>Please log in</html>", "{}", ""])
def test_a_login_page_is_no_dataset(command: Command, serve: Serve, tmp_path: Path, page: str) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "people.json").write_text(page)
    found = command("posedata", "pull", f"{serve(tmp_path / 'site')}/people")
    assert found.returncode == 7
    assert "expected a dataset manifest" in found.stderr


def test_other_files_of_a_collection_are_left_out_and_told(
    command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    (collection / "package.json").write_text("{}")
    found = command("posedata", "list", collection, "--json")
    assert found.returncode == 0
    assert "package.json: expected a dataset manifest" in found.stderr
    listed = json.loads(found.stdout)
    assert ([row["dataset"] for row in listed["datasets"]], len(listed["left_out"])) == (["brace"], 1)
    status = command("posedata", "status", collection, "--json")
    assert status.returncode == 4  # the data home is empty
    assert len(json.loads(status.stdout)["left_out"]) == 1


def test_a_copy_of_a_manifest_is_left_out_and_told(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    shutil.copy(collection / "brace.json", collection / "brace-old.json")
    found = command("posedata", "list", collection, "--json")
    assert found.returncode == 0, found.stderr
    assert "brace-old.json: name: expected that of the file, found brace" in found.stderr
    assert [row["dataset"] for row in json.loads(found.stdout)["datasets"]] == ["brace"]
    assert command("posedata", "status", collection).returncode == 4  # the data home is empty


@pytest.mark.parametrize("what", ["gone", "changed", "swapped"])
def test_a_damaged_collection_publishes_nothing_here(
    command: Command, stores: dict[str, Path], tmp_path: Path, what: str
) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    files = sorted((collection / "objects").iterdir(), key=lambda path: path.stat().st_size)
    if what == "gone":
        files[-1].unlink()
    elif what == "changed":
        files[-1].write_bytes(files[-1].read_bytes()[:-1] + b"x")
    else:
        shutil.copy(files[-2], files[-1])
    found = command("posedata", "pull", f"{collection}/brace")
    assert found.returncode in (4, 7)
    assert not (tmp_path / "home" / "stores" / "brace.zarr").exists()
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    if what == "changed":  # of the same size: a push takes it for what it should be
        assert "remove it and push again" in found.stderr
        files[-1].unlink()
        ok(command("posedata", "push", stores["brace"], collection, "--json"))
    ok(command("posedata", "pull", f"{collection}/brace", "--json"))
    assert contents(tmp_path / "home" / "stores" / "brace.zarr") == contents(stores["brace"])


def start(*arguments: object, **extra: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [Path(sys.executable).with_name("posedata"), *map(str, arguments)],
        env=os.environ | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_pull_that_is_stopped_goes_on(
    command: Command, stores: dict[str, Path], serve: Serve, tmp_path: Path, number: signal.Signals
) -> None:
    """The server answers one object in two seconds, so the signal comes in the middle."""
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    url = f"{serve(collection, delay=0.3)}/brace"
    home = str(tmp_path / "home")
    process = start("pull", url, POSEDATA_HOME=home)
    stage = tmp_path / "home" / "stores" / ".brace.zarr.building" / "store"
    for _ in range(200):
        if len(list(stage.rglob("zarr.json"))) > 4:
            break
        time.sleep(0.05)
    process.send_signal(number)
    begin = time.monotonic()
    _, errors = process.communicate(timeout=20)
    assert time.monotonic() - begin < 5
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert "what has come is kept" in errors
    kept = [path for path in stage.rglob("*") if path.is_file()]
    assert kept
    assert not (tmp_path / "home" / "stores" / "brace.zarr").exists()
    ok(command("posedata", "pull", url, "--json"))
    assert contents(tmp_path / "home" / "stores" / "brace.zarr") == contents(stores["brace"])
    assert not stage.exists()


def test_what_a_pull_of_another_dataset_left_is_cleared(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    push(stores["brace"], str(tmp_path / "collection"))
    left = tmp_path / ".a.zarr.building" / "store" / "gone" / "c"
    left.mkdir(parents=True)
    (left / "0").write_bytes(b"of an older format")
    pull(f"{tmp_path / 'collection'}/brace", out=tmp_path / "a.zarr")
    assert contents(tmp_path / "a.zarr") == contents(stores["brace"])


def test_a_pull_needs_room_for_what_has_not_come_yet(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    push(stores["brace"], str(tmp_path / "collection"))
    came = tmp_path / ".a.zarr.building" / "store" / "sources.csv"
    came.parent.mkdir(parents=True)
    shutil.copy(stores["brace"] / "sources.csv", came)
    left = sum(file.size for file in read_manifest(stores["brace"]).files) - came.stat().st_size
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=left - 1))
    with pytest.raises(ResourceError, match=rf"expected {left:,} bytes of free space at least, found {left - 1:,}"):
        pull(f"{tmp_path / 'collection'}/brace", out=tmp_path / "a.zarr")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=left))
    pull(f"{tmp_path / 'collection'}/brace", out=tmp_path / "a.zarr")
    assert contents(tmp_path / "a.zarr") == contents(stores["brace"])


def test_a_copy_of_a_collection_is_asked_before_the_collection(stores: dict[str, Path], tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    push(stores["brace"], str(one))
    shutil.copytree(one, two)
    assert find_dataset(f"{two}/brace").dataset.locations == (str(two), str(one))
    assert find_dataset(f"{one}/brace").dataset.locations == (str(one),)


def test_a_store_that_lacks_a_file_is_not_said_to_be_there(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    push(stores["brace"], str(tmp_path / "collection"))
    given, out = f"{tmp_path / 'collection'}/brace", tmp_path / "a.zarr"
    pull(given, out=out)
    assert pull(given, out=out)["unchanged"]
    (out / "shot" / "c" / "0").unlink()
    with pytest.raises(ConflictError, match="--overwrite"):
        pull(given, out=out)
    assert not pull(given, out=out, overwrite=True)["unchanged"]
    assert contents(out) == contents(stores["brace"])


def test_a_manifest_that_is_not_the_one_published_is_not_taken(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sound by itself, and lacks a file; the next location has the right one."""
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    for place in ("one", "two"):
        push(stores["brace"], str(tmp_path / place))
    manifest = read_manifest(stores["brace"])
    folder = tmp_path / "one" / "objects"
    write_manifest(folder, manifest.model_copy(update={"files": manifest.files[:-1]}))
    (folder / MANIFEST_NAME).rename(folder / sha256_file(stores["brace"] / MANIFEST_NAME))
    with pytest.raises(RemoteError, match=r"one/objects/\w+: expected that sha256, found another: damaged there"):
        pull(f"{tmp_path / 'one'}/brace", out=tmp_path / "a.zarr")
    dataset = json.loads((tmp_path / "one" / "brace.json").read_text())
    dataset["locations"] = [str(tmp_path / place) for place in ("one", "two")]
    (tmp_path / "brace.json").write_text(json.dumps(dataset))
    pull(str(tmp_path / "brace.json"), out=tmp_path / "a.zarr")
    assert contents(tmp_path / "a.zarr") == contents(stores["brace"])


def test_a_push_whose_server_is_killed_goes_on(
    command: Command, s3: S3Server, tmp_path: Path, raw_trees: dict[str, Path]
) -> None:
    ok(command("posedata", "build", "--dataset", "climbalong", "--raw", raw_trees["climbalong"], "--json"))
    store = tmp_path / "home" / "stores" / "climbalong-detector.zarr"
    url = f"s3://pose/{uuid4().hex}"
    process = start("push", store, url, **s3.environment)
    time.sleep(1.2)
    s3.kill()
    process.communicate(timeout=120)
    try:
        assert process.returncode in (0, 7)
    finally:
        s3.start()
    for _ in range(20):  # the server takes a while to find itself again
        pushed = command("posedata", "push", store, url, "--json")
        if pushed.returncode != 7:
            break
        time.sleep(0.5)
    ok(pushed)
    ok(command("posedata", "pull", f"{url}/climbalong-detector", "--out", tmp_path / "got.zarr", "--json"))
    assert contents(tmp_path / "got.zarr") == contents(store)


def test_two_pushers_of_one_name(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    both = [start("push", stores[name], collection, "--name", "people") for name in ("brace", "speed21")]
    codes = sorted(process.wait(60) for process in both)
    for process in both:
        process.communicate()
    assert codes == [0, 6]
    ok(command("posedata", "pull", f"{collection}/people", "--json"))
    files, problems = verify(tmp_path / "home" / "stores" / "people.zarr")
    assert files
    assert not problems


def test_the_card_of_a_name_is_that_of_who_won_it(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one looked before the first had finished, and saw that the name was free."""
    push(stores["brace"], str(tmp_path), name="people")
    before = {path.name: path.read_bytes() for path in tmp_path.glob("people.*")}
    monkeypatch.setattr("posedata.sharing.push.find_published", lambda remote, name: None)
    with pytest.raises(ConflictError):
        push(stores["speed21"], str(tmp_path), name="people")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("people.*")} == before


@pytest.mark.parametrize("cut", ["people.svg", "people.md"])
def test_after_a_cut_before_the_card_the_same_command_writes_it(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    push(stores["brace"], str(tmp_path), name="people")
    write = Folder.write

    def cutting(self: Folder, name: str, content: bytes, replace: bool) -> None:
        if name == cut:
            raise RemoteError("cut")
        write(self, name, content, replace)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", cutting)
        with pytest.raises(RemoteError):
            push(stores["speed21"], str(tmp_path), name="people", overwrite=True)
    assert json.loads((tmp_path / "people.json").read_text())["recipe"]["datasets"][0]["dataset"] == "speed21"
    push(stores["speed21"], str(tmp_path), name="people")
    assert (tmp_path / "people.svg").read_bytes() == (stores["speed21"] / "preview.svg").read_bytes()
    assert "speed21" in (tmp_path / "people.md").read_text()


def test_a_pull_takes_the_next_location(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    ok(command("posedata", "push", stores["brace"], collection, "--json"))
    manifest = json.loads((collection / "brace.json").read_text())
    manifest["locations"] = ["http://127.0.0.1:9/gone", str(collection)]
    (tmp_path / "brace.json").write_text(json.dumps(manifest))
    ok(command("posedata", "pull", tmp_path / "brace.json", "--json"))
    assert (tmp_path / "home" / "stores" / "brace.zarr" / MANIFEST_NAME).is_file()
