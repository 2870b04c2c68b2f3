"""`posetrain detect` as it is installed: what it refuses. What it makes is tried by test_from_film.py."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from posedata.samples import write_sample
from posetrain.commands.detect import detect
from posetrain.detect.people import SCORE

Run = Callable[..., subprocess.CompletedProcess[str]]


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    assert (done.returncode, done.stdout) == (code, "")
    assert "Traceback" not in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "expected one of --boxes and --people"),
        (["--boxes", "b.csv", "--people", "yolos"], "expected one of --boxes and --people"),
        (["--boxes", "b.csv", "--people-score", "0.5"], "--people-score goes with --people"),
        (["--people", "yolos", "--people-score", "1.5"], "--people-score"),
        (["--boxes", "b.csv", "--batch-size", "0"], "--batch-size"),
    ],
)
def test_options_that_do_not_go_together(options: list[str], words: str, command: Run) -> None:
    refused(command("posetrain", "detect", "run", "film.mp4", "--out", "d", *options), 2, words)


def test_a_run_that_is_not_there_or_no_detectors(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    write_sample("film", tmp_path / "film", sequences=1, frames=5)
    line = ("film/film_01.mp4", "--boxes", "film/boxes/film_01.csv", "--out", "out")
    refused(command("posetrain", "detect", "none", *line), 3, "none: expected a run there")
    small = (
        "--model",
        "smoothnet",
        "--epochs",
        1,
        "--max-windows",
        4,
        "--batch-size",
        4,
        "--out",
        "refiner",
        "--quiet",
    )
    assert command("posetrain", "run", stores["brace"], *small).returncode == 0
    words = "refiner: expected a run of an hourglass that says keypoints, found one of smoothnet"
    refused(command("posetrain", "detect", "refiner", *line), 2, words)
    assert not (tmp_path / "out").exists()


def test_the_score_of_the_help_is_the_usual_one() -> None:
    (option,) = (each for each in detect.params if each.name == "people_score")
    assert option.default == SCORE


def test_its_help_needs_no_torch(command: Run) -> None:
    done = command("posetrain", "detect", "--help")
    assert done.returncode == 0
    assert "--people-score" in done.stdout
