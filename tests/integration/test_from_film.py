"""From a film to smooth keypoints, by the commands alone, on films that the project makes itself."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from zygote import Zygote

from posedata import open_store
from posedata.geometry import to_pixels

FILMS = ("film_01", "film_02", "film_03")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loop")


@pytest.fixture(scope="module")
def done(place: Path, zygote: Zygote) -> Callable[..., str]:
    """Runs a command in `place`, expects it to succeed, and gives what it prints."""

    def run(*line: object) -> str:
        program = str(Path(sys.executable).parent / str(line[0]))
        ran = zygote.run([program, *map(str, line[1:])], place, POSEDATA_HOME=str(place / "data"))
        assert ran.returncode == 0, f"{line}: {ran.stderr}"
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def detector(done: Callable[..., str], place: Path) -> Path:
    """A detector after one step, beside films and photographs."""
    done("posedata", "sample", "film", "--sequences", 3, "--frames", 10, "--out", "film")
    done("posedata", "sample", "coco", "--sequences", 6)
    done("posedata", "build", "--dataset", "coco", "--out", "coco.zarr")
    short = ("--width", 16, "--epochs", 1, "--max-windows", 1, "--batch-size", 1)
    done("posetrain", "run", "coco.zarr", "--model", "hourglass", *short, "--out", "detector")
    return place / "detector"


def test_a_film_becomes_smooth_keypoints(detector: Path, done: Callable[..., str], place: Path) -> None:
    shutil.copytree(place / "film", place / "climbs")
    for name in FILMS:
        boxes = ("--boxes", f"climbs/boxes/{name}.csv")
        told = json.loads(
            done("posetrain", "detect", "detector", f"climbs/{name}.mp4", *boxes, "--out", "climbs", "--json")
        )
        assert told["warnings"] == []
        assert [each["frames_filled"] for each in told["people"]] == [2] * len(told["people"])
        assert {each["frames_without_box"] for each in told["people"]} == {0}
    inputs = sorted(path.name for path in (place / "climbs" / "input").iterdir())
    assert inputs == ["film_01.npz", "film_02.npz", "film_03-ann.npz", "film_03-bob.npz"]

    built = json.loads(
        done("posedata", "build", "--dataset", "climbalong", "--raw", "climbs", "--out", "s.zarr", "--json")
    )
    assert (built["frames"], built["sequences"], built["empty_frames"]) == (15 + 3 * 10, 4, 0)
    store = open_store(place / "s.zarr")
    assert store.attributes["synthetic"] is True
    with np.load(place / "climbs" / "target" / "film_01.npz") as arrays:
        truth = arrays["keypoints"][..., :2]
    held = slice(int(store["sequence_start"][0]), int(store["sequence_start"][0]) + 15)
    stored = to_pixels(store["target_points"][held].astype(np.float64), store["box"][held].astype(np.float64))
    np.testing.assert_allclose(stored, truth, atol=0.01)

    short = ("--epochs", 1, "--max-windows", 8, "--batch-size", 4)
    done("posetrain", "run", "s.zarr", "--model", "smoothnet", *short, "--out", "refiner")
    done("posetrain", "run", "s.zarr", "--init", "refiner", *short, "--out", "finetuned")
    film = ("--film", "smooth.mp4", "--video", "climbs/film_01.mp4")
    told = json.loads(
        done("posetrain", "predict", "finetuned", "climbs/input/film_01.npz", "--out", "f.csv", *film, "--json")
    )
    assert (told["frames"], told["frames_not_refined"]) == (15, 0)
    with (place / "f.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["x"]]
    assert {int(row["frame"]) for row in rows} == set(range(15))
    assert len(rows) == told["keypoints"] > 15
    done("posetrain", "predict", "default", "climbs/input/film_02.npz", "--out", "by_default.json")


def test_a_kill_leaves_no_file_and_the_next_run_makes_it(
    detector: Path, done: Callable[..., str], place: Path, tmp_path: Path
) -> None:
    options = ["film/film_01.mp4", "--boxes", "film/boxes/film_01.csv", "--out", str(tmp_path), "--batch-size", "1"]
    line = [str(Path(sys.executable).parent / "posetrain"), "detect", "detector", *options]
    environment = os.environ | {"POSEDATA_HOME": str(place / "data")}
    with subprocess.Popen(line, cwd=place, env=environment, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 120
        part = tmp_path / "input" / ".film_01.npz.making" / "film_01.npz"
        while not (part.exists() and part.stat().st_size > 100_000):
            assert process.poll() is None, "it was over before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    assert list((tmp_path / "input").glob("*.npz")) == []
    done("posetrain", "detect", "detector", *options)
    assert [path.name for path in (tmp_path / "input").iterdir()] == ["film_01.npz"]
