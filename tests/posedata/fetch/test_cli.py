"""`posedata fetch` as it is installed, and what it leads to."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_store_is_built_from_what_was_fetched(
    site: Any, command: Run, published: dict[str, bytes], stores: dict[str, Path], tmp_path: Path
) -> None:
    site.files = published
    fetched = command("posedata", "fetch", "brace", "--url", site.url)
    assert fetched.returncode == 0, fetched.stderr
    lines = fetched.stdout.splitlines()
    assert lines[0] == str(tmp_path / "home" / "raw" / "brace")
    assert [line.split()[0] for line in lines[1:]] == ["dataset.zip", "manual_keypoints.zip", "brace-main.zip"]
    assert all(re.fullmatch("[0-9a-f]{64}", line.split()[1]) for line in lines[1:])
    assert fetched.stderr.startswith("licence: S-Lab Licence 1.0, non-commercial")
    assert "cite: Moltisanti" in fetched.stderr.splitlines()[1]
    size = len(published["dataset.zip"])
    assert re.search(rf"downloading .*dataset\.zip: {size:,} bytes\n", fetched.stderr)
    built = command("posedata", "build", "--dataset", "brace", "--json")
    assert built.returncode == 0, built.stderr
    told = command("posedata", "info", stores["brace"], "--json")
    ours, theirs = json.loads(built.stdout), json.loads(told.stdout)
    assert (ours["sequences"], ours["frames"]) == (theirs["sequences"], theirs["frames"])
    assert ours["skipped"] == theirs["skipped"]


def test_json_and_quiet(site: Any, command: Run, published: dict[str, bytes], tmp_path: Path) -> None:
    site.files = published
    done = command("posedata", "fetch", "Penn-Action", "--url", site.url, "--out", "here", "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told.keys() == {"path", "dataset", "licence", "cite", "archives"}
    assert (told["path"], told["dataset"]) == ("here", "penn_action")
    assert told["archives"][0].keys() == {"file", "url", "size", "sha256"}
    assert len([*(tmp_path / "here" / "labels").iterdir()]) == 12


@pytest.mark.parametrize(
    ("arguments", "code", "found"),
    [
        (["climbalong"], 2, "expected one that can be fetched: brace, penn_action, speed21; where"),
        (["speed21"], 2, "speed21: expected --url"),
        (["brace", "--url", "{url}dataset.zip"], 2, "expected a folder with a / at its end"),
        (["speed21", "--url", "https://me:pass@host/a.zip"], 2, "expected a URL without user and password"),
        (["speed21", "--url", "{url}gone.zip"], 7, "gone.zip: expected an archive, found HTTP 404 Not Found; see "),
        (["speed21", "--url", "{url}odd.zip"], 3, "found "),
        (["speed21", "--url", "{url}odd.zip", "--out", "full"], 6, "expected no such folder or an empty one"),
    ],
)
def test_faults_are_a_line_each(
    site: Any, command: Run, tmp_path: Path, arguments: list[str], code: int, found: str
) -> None:
    (tmp_path / "full" / "x").mkdir(parents=True)
    site.files["odd.zip"] = b"PK\x03\x04 and nothing behind"
    done = command("posedata", "fetch", *(argument.format(url=site.url) for argument in arguments))
    assert done.returncode == code
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert found in errors[0]
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_the_answer_to_missing_raw_data_names_the_command(command: Run) -> None:
    for name in ("brace", "penn_action", "speed21"):
        done = command("posedata", "build", "--dataset", name)
        assert done.returncode == 3
        assert f"`posedata fetch {name}" in done.stderr


def test_neither_pooch_nor_requests_is_imported_at_start() -> None:
    code = "import sys, posedata.cli, posedata.fetch.fetching; print(sorted({'pooch', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
