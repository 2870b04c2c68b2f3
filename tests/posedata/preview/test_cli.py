"""The installed command `posedata preview`, from outside."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from PIL import Image
from rerun.chunk import RrdReader

from posedata.store.reader import open_store

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("ending", ["png", "gif", "mp4", "html", "rrd"])
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
    if path.suffix == ".rrd":
        chunks = RrdReader(path).stream()
        return sum(chunk.num_rows for chunk in chunks if str(chunk.entity_path).endswith("/target/skeleton/points"))
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
        (["--out", "s.jpg"], 2, "s.jpg: expected a name that ends in .png, .gif, .mp4, .html, .rrd, found .jpg"),
        (["--out", "there.png"], 6, "there.png: expected no such file, found one; use --overwrite"),
        (["--out", "s.png", "--sequence", "penn_action/001"], 3, "near it: penn_action/0"),
        (["--out", "s.gif", "--sequence", "0001", "--frames", "9000:"], 3, "expected some of '"),
        (["--out", "s.png", "--frames", "1:9"], 2, "--frames goes with --sequence"),
        (["--out", "s.png", "--sequence", "0001", "--seed", "1"], 2, "--seed goes without --sequence"),
        (["--out", "s.gif", "--sequence", "0001", "--count", "3"], 2, "choose some with --frames"),
        (["--out", "s.png", "--sequence", "0001", "--frames", "3-9"], 2, "expected two numbers like 10:60"),
        (["--out", "s.png", "--sequence", "0001", "--frames", f":{'9' * 5000}"], 2, "expected two numbers like 10:60"),
        (["--out", "s.png", "--pick", "best"], 2, "'most-missing'"),
        ([], 2, "--out FILE or --viewer rerun: expected one of them"),
        (["--out", "s.png", "--viewer", "rerun"], 2, "--out FILE or --viewer rerun: expected one of them"),
        (["--viewer", "rerun", "--overwrite"], 2, "--overwrite goes with --out"),
        (["--viewer", "rerun", "--sequence", "0001", "--count", "3"], 2, "choose some with --frames"),
        (["--out", "s.png", "--video", "films"], 3, "films: expected a film or a folder of films, found nothing"),
        (["--out", "s.png", "--video", "there.png"], 2, "there.png: expected the film of all frames, found frames of"),
        (["--out", "s.gif", "--sequence", "0001", "--video", "there.png"], 3, "there.png: expected a film that OpenCV"),
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


@pytest.mark.parametrize(
    ("package", "ending"),
    [("cv2", "png"), ("PIL", "gif"), ("cv2", "mp4"), ("av", "mp4"), ("jinja2", "html"), ("rerun", "rrd")],
)
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
    extra = {"jinja2": "report", "rerun": "rerun"}.get(package, "view")
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
    code = (
        "import sys, posedata.cli; print(sorted({'numpy', 'av', 'cv2', 'PIL', 'jinja2', 'rerun'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("ending", ["png", "gif", "mp4", "html", "rrd"])
def test_a_film_below_the_skeletons_in_every_ending(
    ending: str, command: Run, stores: dict[str, Path], climbs: Path, tmp_path: Path
) -> None:
    out = tmp_path / f"p.{ending}"
    options = ("--sequence", "climb_02", "--frames", "2:5", "--video", climbs, "--out", out, "--json")
    done = command("posedata", "preview", stores["climbalong"], *options)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["frames"] == 3
    assert done.stderr == "drawing: 3 frames\n"
    assert _frames_in(out) == (1 if ending == "png" else 3)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_a_recording_of_which_the_writer_is_killed_is_not_there(
    number: signal.Signals, code: int, command: Run, stores: dict[str, Path], climbs: Path, tmp_path: Path
) -> None:
    """Its frames have films, so that it takes a while."""
    program = Path(sys.executable).parent / "posedata"
    options = ("--sequence", "climb_01", "--video", climbs, "--out", "c.rrd", "--quiet")
    writer = subprocess.Popen([program, "preview", stores["climbalong"], *options], cwd=tmp_path)
    part = tmp_path / ".c.rrd.making" / "c.rrd"
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size) and time.monotonic() < end:
        time.sleep(0.01)
    writer.send_signal(number)
    assert writer.wait(60) == code
    assert [path.name for path in tmp_path.iterdir()] == ([".c.rrd.making"] if number == signal.SIGKILL else [])
    assert command("posedata", "preview", stores["climbalong"], *options).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c.rrd"]


def test_the_line_of_the_help_that_needs_films_works(
    command: Run, stores: dict[str, Path], climbs: Path, tmp_path: Path
) -> None:
    (tmp_path / "climbs.zarr").symlink_to(stores["climbalong"])
    (tmp_path / "films").symlink_to(climbs)
    text = command("posedata", "preview", "--help").stdout
    (words,) = (line.split() for line in text.splitlines() if "--video films/" in line)
    done = command(*words)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / words[-1]).stat().st_size > 0
