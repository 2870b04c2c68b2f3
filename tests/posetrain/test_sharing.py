"""Trained runs handed from one team member to another."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
import torch

from posedata import open_store
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, RemoteError
from posedata.locks import locked
from posedata.sharing.remote import open_remote
from posetrain.config import TrainConfig
from posetrain.sharing import published_runs, pull_run, push_run
from posetrain.training import train

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run."""
    folder = tmp_path_factory.mktemp("runs") / "smooth"
    train(
        TrainConfig(model="smoothnet", epochs=1, max_windows=8),
        open_store(stores["brace"]),
        folder,
        device=torch.device("cpu"),
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["folder", "s3"])
def collection(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "folder":
        return str(tmp_path / "collection")
    request.getfixturevalue("s3")
    return f"s3://pose/{uuid4().hex}"


def test_a_run_comes_back_as_it_was(run: Path, collection: str, tmp_path: Path) -> None:
    sent = push_run(run, collection)
    again = push_run(run, collection)
    assert (again["files"], again["files_kept"]) == (0, sent["files"])
    planned = pull_run(f"{collection}/smooth", out=tmp_path / "got", dry_run=True)
    assert not (tmp_path / "got").exists()
    pulled = pull_run(f"{collection}/smooth", out=tmp_path / "got")
    assert contents(tmp_path / "got") == contents(run)
    assert planned["bytes"] == pulled["bytes"] == sum(len(content) for content in contents(run).values())


def test_a_pull_that_was_cut_goes_on(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk has room for what is missing, and no more."""
    sent = push_run(run, str(tmp_path / "collection"))
    stage = tmp_path / ".got.building" / "run"
    stage.mkdir(parents=True)
    shutil.copy(run / "run.json", stage)
    left = sent["bytes"] - (run / "run.json").stat().st_size
    monkeypatch.setattr("posedata.files.shutil.disk_usage", lambda path: SimpleNamespace(free=left))
    pulled = pull_run(str(tmp_path / "collection" / "smooth"), out=tmp_path / "got")
    assert (pulled["files"], pulled["files_kept"], pulled["bytes"]) == (sent["files"] - 1, 1, left)
    assert contents(tmp_path / "got") == contents(run)


def test_nothing_is_overwritten_unless_asked(run: Path, tmp_path: Path) -> None:
    collection = str(tmp_path / "collection")
    other = Path(shutil.copytree(run, tmp_path / "other"))
    (other / "summary.json").write_text("{}")
    push_run(run, collection)
    with pytest.raises(ConflictError, match="--overwrite"):
        push_run(other, collection, name="smooth")
    push_run(other, collection, name="smooth", overwrite=True)
    pull_run(f"{collection}/smooth", out=tmp_path / "got")
    assert contents(tmp_path / "got") == contents(other)
    with pytest.raises(ConflictError):
        pull_run(f"{collection}/smooth", out=tmp_path / "got")
    pull_run(f"{collection}/smooth", out=tmp_path / "got", overwrite=True)


def test_a_run_in_training_is_not_pushed(run: Path, tmp_path: Path) -> None:
    with locked(run, run), pytest.raises(ConflictError):
        push_run(run, str(tmp_path / "collection"))


def test_what_is_wrong_there_is_told(run: Path, tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    with pytest.raises(ChoiceError, match="--name"):
        push_run(run, str(collection), name="a/b")
    push_run(run, str(collection))
    with pytest.raises(RemoteError, match="expected a run, found none"):
        pull_run(f"{collection}/none")
    largest = max((collection / "objects").iterdir(), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError):
        pull_run(f"{collection}/smooth", out=tmp_path / "got")
    assert not (tmp_path / "got").exists()
    (collection / "runs" / "smooth.json").write_text("<html>")
    with pytest.raises(RemoteError, match="something else"):
        pull_run(f"{collection}/smooth", out=tmp_path / "got")


def test_a_run_without_an_epoch_is_not_published(run: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(run / "run.json", begun)
    with pytest.raises(BadInputError, match=r"begun: expected a finished epoch, .* --resume --out .*begun"):
        push_run(begun, str(tmp_path / "collection"))
    assert not (tmp_path / "collection").exists()


def test_a_run_that_is_not_there_is_told_of_those_that_are(run: Path, collection: str, tmp_path: Path) -> None:
    for name in ("smooth", "other"):
        push_run(run, collection, name=name)
    with pytest.raises(RemoteError, match=r"smoth: expected a run, found none in .*/runs; there are other, smooth$"):
        pull_run(f"{collection}/smoth", out=tmp_path / "got")


def test_the_runs_of_a_collection_are_listed(run: Path, collection: str) -> None:
    with pytest.raises(RemoteError, match=r"collection|s3://pose"):
        published_runs(collection)
    open_remote(collection).write("dataset.json", b"{}", False)
    assert published_runs(collection) == []
    sent = push_run(run, collection, name="smooth")
    push_run(run, collection, name="other")
    first, second = published_runs(collection)
    assert first == second | {"name": "other"}
    assert second == {name: sent[name] for name in second}
    assert second["bytes"] == sum(len(content) for content in contents(run).values())


def test_what_is_no_run_is_left_out_and_told(run: Path, tmp_path: Path) -> None:
    push_run(run, str(tmp_path))
    (tmp_path / "runs" / "copy.json").write_bytes((tmp_path / "runs" / "smooth.json").read_bytes())
    (tmp_path / "runs" / "odd.json").write_text("{}")
    told: list[str] = []
    assert [each["name"] for each in published_runs(str(tmp_path), told.append)] == ["smooth"]
    assert [fault.removeprefix(f"{tmp_path}/runs/") for fault in told] == [
        "copy.json: name: expected that of the file, found smooth",
        "odd.json: expected a published run, found something else",
    ]


def test_a_name_that_cannot_be_published_is_told_in_words(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"störe: expected a name that can be published, at most 151 .* with --name"):
        push_run(run, str(tmp_path / "collection"), name="störe")


def test_the_commands(run: Path, command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    collection = tmp_path / "collection"
    assert command("posedata", "push", stores["brace"], collection).returncode == 0
    pushed = command("posetrain", "push", run, "--json", POSEDATA_REMOTE=str(collection))
    assert pushed.returncode == 0, pushed.stderr
    assert json.loads(pushed.stdout)["url"] == f"{collection}/smooth"
    listed = command("posetrain", "list", collection)
    assert listed.stdout.split()[:5] == ["run", "model", "trained", "on", "digest"]
    assert listed.stdout.splitlines()[1].split()[:3] == ["smooth", "smoothnet", "brace.zarr"]
    told = json.loads(command("posetrain", "list", "--json", POSEDATA_REMOTE=str(collection)).stdout)
    assert [each["name"] for each in told["runs"]] == ["smooth"]
    assert command("posetrain", "list").returncode == 2
    (tmp_path / "empty").mkdir()
    empty = command("posetrain", "list", tmp_path / "empty")
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", f"no runs in {tmp_path / 'empty'}\n")
    assert command("posedata", "pull", f"{collection}/brace").returncode == 0
    pulled = command("posetrain", "pull", f"{collection}/smooth")
    assert pulled.returncode == 0, pulled.stderr
    assert "fetched" in pulled.stdout
    scored = command("posetrain", "eval", "smooth", "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["model"] == "smoothnet"
    assert command("posetrain", "push", run).returncode == 2


def test_a_name_is_looked_for_in_the_teams_collection(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("smooth", "other"):
        push_run(run, str(tmp_path / "collection"), name=name)
    monkeypatch.setenv("POSEDATA_REMOTE", str(tmp_path / "collection"))
    assert pull_run("other/", dry_run=True)["name"] == "other"  # as a shell completes it
    pulled = pull_run("other", out=tmp_path / "got")
    assert (pulled["name"], contents(tmp_path / "got")) == ("other", contents(run))
    monkeypatch.delenv("POSEDATA_REMOTE")
    with pytest.raises(ChoiceError, match=r"\$POSEDATA_REMOTE"):
        pull_run("other", out=tmp_path / "again")
    assert not (tmp_path / "again").exists()
