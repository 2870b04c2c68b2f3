"""The installed command `posedata preview`, from outside."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from PIL import Image

from posedata.store.reader import open_store

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("ending", ["png", "gif", "mp4", "html"])
@pytest.mark.parametrize("name", ["penn_action", "climbalong"])
def test_a_sequence_in_every_ending(
    name: str, ending: str, command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    store = open_store(stores[name])
    sequence, first = f"{name}/{store['sequence_name'][0]}", int(store["frame_number"][0])
    out = tmp_path / f"p.{ending}"
    options = ("--sequence", sequence, "--frames", f"{first}:{first + 8}", "--out", out, "--json")
    done = command("posedata", "preview", stores[name], *options)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told == {"out": str(out), "frames": 8, "sequences": [sequence], "bytes": out.stat().st_size}
    assert done.stderr == "drawing: 8 frames\n"
    assert _frames_in(out) == (1 if ending == "png" else 8)


def _frames_in(path: Path) -> int:
    if path.suffix == ".html":
        text = path.read_text()
        return len(json.loads(text.split('<script id="frames" type="application/json">')[1].split("</script>")[0]))
    if path.suffix == ".mp4":
        return int(cv2.VideoCapture(str(path)).get(cv2.CAP_PROP_FRAME_COUNT))
    with Image.open(path) as picture:
        return int(getattr(picture, "n_frames", 1))


def test_many_sequences_by_name_of_the_store(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "home" / "stores").mkdir(parents=True)
    (tmp_path / "home" / "stores" / "penn.zarr").symlink_to(stores["penn_action"])
    done = command("posedata", "preview", "penn", "--out", "s.png", "--count", 3, "--pick", "noisiest")
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert (rows["preview"], rows["frames"], len(rows["sequences"].split(", "))) == ("s.png", "3", 3)
    assert done.stderr.splitlines()[-1] == "drawing: 3 frames"
    again = command("posedata", "preview", "penn", "--out", "s.png", "--overwrite", "--quiet")
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--out", "s.jpg"], 2, "s.jpg: expected a name that ends in .png, .gif, .mp4, .html, found .jpg"),
        (["--out", "there.png"], 6, "there.png: expected no such file, found one; use --overwrite"),
        (["--out", "s.png", "--sequence", "penn_action/001"], 3, "near it: penn_action/0"),
        (["--out", "s.gif", "--sequence", "0001", "--frames", "9000:"], 3, "expected some of '"),
        (["--out", "s.png", "--frames", "1:9"], 2, "--frames goes with --sequence"),
        (["--out", "s.png", "--sequence", "0001", "--seed", "1"], 2, "--seed goes without --sequence"),
        (["--out", "s.gif", "--sequence", "0001", "--count", "3"], 2, "choose some with --frames"),
        (["--out", "s.png", "--sequence", "0001", "--frames", "3-9"], 2, "expected two numbers like 10:60"),
        (["--out", "s.png", "--pick", "best"], 2, "'most-missing'"),
    ],
    ids=lambda value: "",
)
def test_mistakes_are_told_in_a_line(
    options: list[str], code: int, words: str, command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "there.png").write_text("mine")
    done = command("posedata", "preview", stores["penn_action"], *options, "--quiet")
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there.png"]


@pytest.mark.parametrize(("package", "ending"), [("cv2", "png"), ("PIL", "gif"), ("cv2", "mp4"), ("jinja2", "html")])
def test_a_package_that_is_missing_is_named(
    package: str, ending: str, command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    """A folder before all others, in which the package cannot be imported."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / f"{package}.py").write_text(f"raise ModuleNotFoundError('no', name={package!r})")
    path = os.pathsep.join([str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = command("posedata", "preview", stores["brace"], "--out", f"s.{ending}", PYTHONPATH=path)
    assert done.returncode == 2
    extra = "report" if package == "jinja2" else "view"
    assert done.stderr == f"error: {package}: expected the package, found it missing; pip install 'posedata[{extra}]'\n"
    assert [path.name for path in tmp_path.iterdir()] == ["hidden"]


def test_a_page_needs_no_package_but_its_own(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    for package in ("cv2", "PIL"):
        (hidden / f"{package}.py").write_text("raise ModuleNotFoundError")
    path = os.pathsep.join([str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])])
    assert command("posedata", "preview", stores["brace"], "--out", "s.html", PYTHONPATH=path).returncode == 0


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, posedata.cli; print(sorted({'numpy', 'cv2', 'PIL', 'jinja2'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
