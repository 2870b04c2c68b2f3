"""Noise files: written, read again, and faulty in every way."""

import json
from pathlib import Path

import pytest

from posedata.config import Noise
from posedata.errors import BadInputError, ConflictError
from posedata.noisefile import read_noise, write_noise

NOISE = Noise(k=1.037, sigmas=(1.0, 1.9), sigma_per="keypoint")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    write_noise(path, NOISE, {"frames": 12}, overwrite=False)
    assert read_noise(path) == NOISE
    assert json.loads(path.read_text()) == {
        "noise": {"k": 1.037, "sigmas": [1.0, 1.9], "sigma_per": "keypoint"},
        "measured": {"frames": 12},
    }
    with pytest.raises(ConflictError):
        write_noise(path, NOISE, {}, overwrite=False)
    write_noise(path, Noise(), {}, overwrite=True)
    assert read_noise(path) == Noise()
    assert [p.name for p in tmp_path.iterdir()] == ["n.json"]


def test_one_written_by_hand_needs_no_more_than_the_noise(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text('{"noise": {"k": 2, "sigmas": [1], "sigma_per": "frame"}}')
    assert read_noise(path) == Noise(k=2.0, sigmas=(1.0,))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected JSON"),
        ("[1]", "expected a JSON object, found list"),
        ("{}", "noise: expected a value"),
        ('{"noise": {"k": 1}}', "noise: expected k, sigmas, sigma_per and nothing else"),
        ('{"noise": {"k": 1, "sigmas": [1], "sigma_per": "frame", "torso": 9}}', "and nothing else"),
        ('{"noise": {"k": NaN, "sigmas": [1], "sigma_per": "frame"}}', "noise.k: "),
        ('{"noise": {"k": "1", "sigmas": [1], "sigma_per": "frame"}}', "noise.k: "),
        ('{"noise": {"k": 1, "sigmas": [], "sigma_per": "frame"}}', "noise.sigmas: "),
        ('{"noise": {"k": 1, "sigmas": [2, 1], "sigma_per": "frame"}}', "rising order"),
        ('{"noise": {"k": 1, "sigmas": [1], "sigma_per": "joint"}}', "noise.sigma_per: "),
        ('{"noise": {"k": 1, "sigmas": [1], "sigma_per": "frame"}, "swaps": 1}', "swaps: "),
        ('{"noise": {"k": 1, "k": 2, "sigmas": [1], "sigma_per": "frame"}}', "key 'k' twice"),
    ],
)
def test_faults_are_told_with_file_and_field(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text(text)
    with pytest.raises(BadInputError) as caught:
        read_noise(path)
    assert all(fault.startswith(f"{path}: ") for fault in caught.value.faults)
    assert words in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    path.write_text('{"noise": {"k": -1, "sigmas": [1], "sigma_per": "joint"}}')
    with pytest.raises(BadInputError) as caught:
        read_noise(path)
    assert len(caught.value.faults) == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"n\.json: expected a readable UTF-8 file"):
        read_noise(tmp_path / "n.json")
