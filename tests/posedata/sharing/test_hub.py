"""What can be said of the Hub without a network: which commits would be made, and what is told if it is away."""

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from posedata.errors import ChoiceError, ConflictError, RemoteError
from posedata.sharing.remote import open_remote

API = huggingface_hub.HfApi


class Recorded:
    """Takes the calls of `HfApi` that exist with these parameters, and does nothing."""

    commits: list[dict[str, Any]]
    there: set[str]

    def __getattr__(self, name: str) -> Any:
        real = getattr(API, name)

        def call(**arguments: Any) -> Any:
            inspect.signature(real).bind(None, **arguments)
            if name == "create_commit":
                self.commits.append(arguments)
                self.there.update(operation.path_in_repo for operation in arguments["operations"])
            answers = {"repo_info": SimpleNamespace(sha="abc"), "file_exists": arguments.get("filename") in self.there}
            return answers.get(name)

        return call


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    api = Recorded()
    api.commits, api.there = [], set()
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: api)
    return api


def test_a_dataset_is_one_commit(recorded: Recorded, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"123")
    remote = open_remote("hf://datasets/team/poses/v1/")
    remote.send(tmp_path / "x", "objects/aa")
    remote.send(tmp_path / "x", "objects/bb")
    assert recorded.commits == []
    remote.write("people.json", b"{}", replace=False)
    (commit,) = recorded.commits
    paths = [operation.path_in_repo for operation in commit["operations"]]
    assert paths == ["v1/objects/aa", "v1/objects/bb", "v1/people.json"]
    assert (commit["repo_id"], commit["repo_type"], commit["parent_commit"]) == ("team/poses", "dataset", "abc")
    with pytest.raises(ConflictError):
        remote.write("people.json", b"{}", replace=False)
    remote.write("people.json", b"{}", replace=True)
    assert [o.path_in_repo for o in recorded.commits[1]["operations"]] == ["v1/people.json"]


@pytest.mark.parametrize("url", ["hf://team/poses", "hf://datasets/poses", "hf://"])
def test_what_is_no_repository_is_refused(url: str) -> None:
    with pytest.raises(ChoiceError, match="hf://datasets/OWNER/REPOSITORY"):
        open_remote(url)


def test_a_hub_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RemoteError, match="expected an answer"):
        open_remote("hf://datasets/team/poses").read("people.json", 9)
