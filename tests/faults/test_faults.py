"""The short form of the fault harness; `python tests/faults/full.py` is the long one."""

import errno
import shutil
import signal
from pathlib import Path

import damage
import fuzz
import interruptions
import powercuts
import pulls
import pytest
import secrets_planted
import trainings
from harness import Bench, Outcome, make_bench

from posedata.formats import FORMATS


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_bench(tmp_path_factory.mktemp("bench") / "bench", sequences=4, frames=1050)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return fuzz.raw_seeds(tmp_path_factory.mktemp("seeds"))


def sound(outcome: Outcome) -> None:
    assert outcome.wrong == []
    assert outcome.tries > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_build_stopped_at_any_instant_leaves_the_old_or_the_new(
    bench: Bench, tmp_path: Path, number: signal.Signals
) -> None:
    sound(interruptions.kills(bench, tmp_path, 4, number))


@pytest.mark.skipif(not shutil.which("gcc"), reason="no C compiler for the preloaded library")
@pytest.mark.parametrize("number", [0, errno.EIO, errno.ENOSPC])
def test_a_call_that_fails_or_is_the_last(bench: Bench, tmp_path: Path, number: int) -> None:
    sound(interruptions.points(bench, tmp_path, 3, number))


def test_a_pull_cut_or_killed_at_any_instant_goes_on(bench: Bench, tmp_path: Path) -> None:
    sound(pulls.killed_pulls(bench, tmp_path, 2))
    sound(pulls.cut_pulls(bench, tmp_path, 3))


def test_a_full_disk(bench: Bench, tmp_path: Path) -> None:
    outcome = interruptions.full_disks(bench, tmp_path, 4)
    if "NOT RUN" in outcome.note:
        pytest.skip(outcome.note)
    sound(outcome)


def test_power_cuts(bench: Bench, tmp_path: Path) -> None:
    outcome = powercuts.power_cuts(bench, tmp_path, 3)
    if "NOT RUN" in outcome.note:
        pytest.skip(outcome.note)
    sound(outcome)


def test_two_builders(bench: Bench, tmp_path: Path) -> None:
    sound(interruptions.races(bench, tmp_path, 1))


def test_a_store_in_use(bench: Bench, tmp_path: Path) -> None:
    sound(interruptions.readers(bench, tmp_path, 1))


@pytest.mark.parametrize("kind", damage.KINDS)
def test_a_damaged_store(bench: Bench, tmp_path: Path, kind: damage.Damage) -> None:
    sound(damage.damages(bench, tmp_path, 8, kind))


@pytest.mark.parametrize("name", FORMATS)
def test_changed_raw_files(
    seeds: dict[str, Path], tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    sound(fuzz.fuzz(seeds[name], name, tmp_path, 250))
    assert capfd.readouterr() == ("", "")  # nor does a child print


def test_changed_netcdf_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound(fuzz.fuzz(fuzz.netcdf_seed(tmp_path / "seed"), "keypoints", tmp_path, 60, pattern="*.nc"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", fuzz.KEYPOINT_SEEDS)
def test_changed_files_of_keypoints(kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sound(fuzz.fuzz(fuzz.KEYPOINT_SEEDS[kind](tmp_path / "seed"), "keypoints", tmp_path, 250))
    assert capfd.readouterr() == ("", "")


def test_no_secret_is_seen(bench: Bench, tmp_path: Path) -> None:
    sound(secrets_planted.planted(bench, tmp_path))


def test_a_killed_training_ends_as_it_would_have(bench: Bench, tmp_path: Path) -> None:
    sound(trainings.killed_trainings(bench, tmp_path, 1))


def test_a_damaged_checkpoint_is_gone_round(bench: Bench, tmp_path: Path) -> None:
    sound(trainings.damaged_checkpoints(bench, tmp_path, 1))
