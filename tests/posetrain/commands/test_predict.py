"""`posetrain predict` as it is installed."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from posedata.store.reader import open_store
from posetrain.config import TrainConfig
from posetrain.training import train

Run = Callable[..., subprocess.CompletedProcess[str]]
HEADER = "frame,person,joint,x,y\n"
ROWS = "".join(
    f"{frame},{person},{joint},{x + frame},{y}\n"
    for frame in range(8)
    for person in ("ann", "bob")
    for joint, x, y in (("nose", 300, 90), ("left_hip", 310, 300), ("left_ankle", 290, 600))
)

LANDMARKS = {"landmark": [{"x": (20 + i) / 100, "y": (9 + i) / 50, "z": -0.5, "visibility": 0.9} for i in range(33)]}


@pytest.fixture(scope="module")
def small(stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch."""
    path = tmp_path_factory.mktemp("runs") / "small"
    config = TrainConfig(model="smoothnet", epochs=1, max_windows=4, batch_size=4)
    train(config, open_store(stores["brace"]), path, device=torch.device("cpu"))
    return path


@pytest.fixture
def run(small: Path, tmp_path: Path) -> str:
    """Its name in the data home."""
    return shutil.copytree(small, tmp_path / "home" / "runs" / "small").name


def test_a_command_refines_a_file_and_reports(run: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(HEADER + ROWS)
    done = command("posetrain", "predict", run, "two.csv", "--out", "new/out.csv", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.pop("frames_per_second") > 0
    assert report == {
        "out": "new/out.csv",
        "model": "smoothnet",
        "epoch": 1,
        "input": "two.csv",
        "sequences": 2,
        "frames": 16,
        "keypoints": 48,
        "missing": 16 * 22,
        "lost": 0,
        "frames_bridged": 0,
        "frames_not_refined": 0,
        "keypoints_not_refined": [],
        "delay": None,
        "latency_ms": None,
        "warnings": [],
    }
    lines = (tmp_path / "new" / "out.csv").read_text().splitlines()
    assert lines[0] + "\n" == HEADER
    assert [line.split(",")[:3] for line in lines] == [line.split(",")[:3] for line in (HEADER + ROWS).splitlines()]
    told = command("posetrain", "predict", run, "two.csv", "--out", "new/out.npz", "--device", "cpu")
    assert "16 of 2 sequences" in told.stdout
    assert "refining: 16 frames" in told.stderr
    with np.load(tmp_path / "new" / "out.npz") as found:
        assert found["person_name"].tolist() == ["ann", "bob"]
    again = command("posetrain", "predict", run, "two.csv", "--out", "new/out.npz")
    assert (again.returncode, again.stdout) == (6, "")
    assert command("posetrain", "predict", run, "two.csv", "--out", "new/out.npz", "--overwrite", "-q").returncode == 0
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["out.csv", "out.npz"]


def test_results_of_mediapipe_stay_what_they_are(run: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "keypoints.json").write_text('{"files": {"walk.jsonl": {"width": 200, "height": 100}}}')
    frames = [LANDMARKS, None, *[LANDMARKS] * 8]
    (tmp_path / "walk.jsonl").write_text("".join(json.dumps(frame) + "\n" for frame in frames))
    done = command("posetrain", "predict", run, "walk.jsonl", "--out", "out.jsonl", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["frames"], report["keypoints"], report["frames_bridged"]) == (9, 9 * 25, 1)
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert found[1] is None
    moved = [i for i, one in enumerate(found[2]["landmark"]) if one != LANDMARKS["landmark"][i]]
    assert set(moved) <= {0, 7, 8, *range(11, 33)}
    assert {0, 11, 28} <= set(moved)
    again = command("posetrain", "predict", run, "out.jsonl", "--out", "again.json", "--device", "cpu")
    assert (again.returncode, again.stdout) == (3, "")
    assert "out.jsonl: width, height: expected in keypoints.json, found none" in again.stderr


def test_a_store_by_its_name_and_some_of_its_sequences(
    run: str, command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "home" / "stores").mkdir()
    (tmp_path / "home" / "stores" / "mine.zarr").symlink_to(stores["penn_action"])
    some = ("--sequence", "0001", "--sequence", "penn_action/0002", "--json")
    done = command("posetrain", "predict", run, "mine", "--out", "out.csv", *some)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sequences"] == 2
    wrong = command("posetrain", "predict", run, "mine", "--out", "no.csv", "--sequence", "nobody")
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "sequence nobody: expected one of the store" in wrong.stderr


def test_a_film_beside_the_file(run: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(HEADER + ROWS)
    line = ("posetrain", "predict", run, "two.csv", "--device", "cpu")
    done = command(*line, "--out", "out.csv", "--film", "out.mp4", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["film"] == "out.mp4"
    assert "drawing: 8 frames" in done.stderr
    assert (tmp_path / "out.mp4").stat().st_size > 1000
    before = sorted(tmp_path.iterdir())
    idle = command(*line, "--out", "no.csv", "--video", "out.mp4")
    assert (idle.returncode, idle.stdout) == (2, "")
    assert "--video goes with --film" in idle.stderr
    there = command(*line, "--out", "no.csv", "--film", "out.mp4")
    assert (there.returncode, there.stdout) == (6, "")
    gone = command(*line, "--out", "no.csv", "--film", "no.mp4", "--video", "gone.mp4")
    assert (gone.returncode, gone.stdout) == (3, "")
    assert "gone.mp4: expected a film or a folder of films, found nothing" in gone.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_frames_as_they_come(run: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(HEADER + ROWS)
    line = ("posetrain", "predict", run, "two.csv", "--device", "cpu", "--delay")
    done = command(*line, 1, "--out", "out.csv", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["delay"], report["latency_ms"], report["frames_not_refined"]) == (1, None, 0)
    assert "1 frames\n" in command(*line, 1, "--out", "other.csv").stdout
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "other.csv").read_text()
    far = command(*line, 3, "--out", "far.csv")
    assert (far.returncode, far.stdout) == (2, "")
    assert "--delay 3: expected 0 to 2, half of what the model sees at once" in far.stderr
    assert not (tmp_path / "far.csv").exists()


BAD = {
    "empty.csv": ("", 3, "empty.csv: header: expected the columns frame, joint, x, y"),
    "none.csv": (HEADER, 3, "none.csv: expected at least one pose, found none"),
    "empty.json": ("", 3, "empty.json: expected JSON"),
    "shares.json": (json.dumps([LANDMARKS]), 3, "shares.json: width, height: expected in keypoints.json, found none; "),
    "shares.jsonl": (json.dumps(LANDMARKS), 3, 'write its size in pixels there, as in {"width": 1920, "height": 1080}'),
    "empty.npz": ("", 3, "empty.npz: expected an .npz file"),
    "empty.nc": ("", 3, "empty.nc: expected a netCDF file"),
    "missing.csv": (HEADER + "0,a,nose,,\n1,a,nose,,\n", 3, "missing.csv: expected at least one keypoint, found none"),
    "tail.csv": (HEADER + "0,a,tail,1,2\n", 3, "tail.csv: row 1: joint: expected one that is known, found 'tail'"),
    "unit.csv": (HEADER + "".join(f"{n},a,nose,0.2,0.1\n" for n in range(12)), 3, "are they relative to the image?"),
    "feet.csv": (HEADER + "0,a,left_heel,20,30\n0,a,right_heel,60,30\n", 3, "found left_heel, right_heel; use another"),
    "notes.txt": ("mine", 3, "notes.txt: expected a file that ends in .json, .jsonl, .csv, .nc, .npz, a folder"),
    "gone.csv": (None, 3, "gone.csv: expected a file, found none"),
    "gone": (None, 3, "gone: expected a store there or in"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_input_is_told_and_leaves_nothing(name: str, run: str, command: Run, tmp_path: Path) -> None:
    content, code, words = BAD[name]
    if content is not None:
        (tmp_path / name).write_text(content)
    before = sorted(tmp_path.iterdir())
    done = command("posetrain", "predict", run, name, "--out", "out.csv", "--device", "cpu")
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_no_such_run(command: Run, tmp_path: Path) -> None:
    (tmp_path / "two.csv").write_text(HEADER + ROWS)
    done = command("posetrain", "predict", "nobody", "two.csv", "--out", "out.csv")
    assert done.returncode == 3
    assert "nobody: expected a run there or in" in done.stderr


def test_heatmaps_of_a_run_in_sixteen_bits(run: str, command: Run, tmp_path: Path) -> None:
    one = "".join(line for line in ROWS.splitlines(keepends=True) if ",bob," in line)
    (tmp_path / "bob.csv").write_text(HEADER + one)
    sizes = []
    for more in ((), ("--half",)):
        done = command("posetrain", "export", run, "--out", "small.safetensors", "--overwrite", *more)
        assert done.returncode == 0, done.stderr
        assert ("before rounding" in done.stdout) == bool(more)
        sizes.append((tmp_path / "small.safetensors").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    done = command("posetrain", "predict", "small.safetensors", "bob.csv", "--out", "bob.npz", "--heatmaps", "--json")
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "bob.npz") as found:
        assert sorted(found) == ["bboxes", "heatmaps"]
        assert found["heatmaps"].shape == (8, 25, 56, 56)
        assert json.loads(done.stdout)["keypoints"] == found["heatmaps"].any(axis=(2, 3)).sum() == 24
