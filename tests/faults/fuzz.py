"""Raw files with random changes: a parser returns a checked sequence, or says what is wrong, and nothing else."""

import io
import json
import random
import shutil
import signal
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import xarray
from harness import Outcome, check, posedata
from scipy.io import loadmat, savemat

from posedata.errors import BadInputError
from posedata.formats import FORMATS, RawDataset
from posedata.poses import PoseSequence

_HANGS = 60
"""Seconds after which an alarm ends the process."""
_WORDS = (
    b"NaN",
    b"Infinity",
    b"-1",
    b"1e308",
    b"9" * 400,
    b"[" * 2000,
    b"{}",
    b"null",
    b'""',
    b"\x00",
    b"\xff\xfe",
    b"../../../etc/passwd",
    b"0",
    b"1e999",
    b"\n",
)


def raw_seeds(root: Path) -> dict[str, Path]:
    """A small synthetic tree of every format."""
    for name in FORMATS:
        check([posedata(), "sample", name, "--sequences", "3", "--frames", "5", "--out", str(root / name)])
    # In compressed files nearly every change ends in the decompressor, before the parser proper.
    for label in sorted((root / "penn_action" / "labels").iterdir())[1:]:
        variables = {key: value for key, value in loadmat(label).items() if not key.startswith("__")}
        savemat(label, variables, do_compression=False)
    # Heatmaps are 157 kB a frame; two frames are as good as many.
    for video in (root / "climbalong").glob("*/*.npz"):
        with np.load(video) as arrays:
            shorter = {key: arrays[key][:2] for key in arrays.files}
        np.savez(video, **shorter)
    return {name: root / name for name in FORMATS}


def netcdf_seed(root: Path) -> Path:
    """A tree with a file as the package movement writes it, which no sample has."""
    joints = ["nose", "left_hip", "right_hip"]
    root.mkdir()
    (root / "keypoints.json").write_text(json.dumps({"joints": {joint: joint for joint in joints}}))
    dims = ("time", "space", "keypoints", "individuals")
    position = np.random.default_rng(0).uniform(10, 700, (5, 2, len(joints), 1))
    dataset = xarray.Dataset(
        {"position": (dims, position), "confidence": (("time", *dims[2:]), np.ones((5, len(joints), 1)))},
        coords={"time": np.arange(5) / 25, "space": ["x", "y"], "keypoints": joints, "individuals": ["ann"]},
        attrs={"ds_type": "poses", "time_unit": "seconds", "fps": 25.0},
    )
    dataset.to_netcdf(root / "walk.nc", engine="h5netcdf")
    return root


def mediapipe_seed(root: Path) -> Path:
    """A tree with results of MediaPipe of both its APIs, as a list and by lines, which no sample has."""
    root.mkdir()
    (root / "keypoints.json").write_text(json.dumps({"width": 640, "height": 480}))
    landmarks = [{"x": i / 40, "y": 1 - i / 40, "z": -0.1, "visibility": 0.9} for i in range(33)]
    entries = [{"pose_landmarks": [landmarks]}, None, {"landmark": landmarks}, {}, {"pose_landmarks": []}] * 2
    (root / "list.json").write_text(json.dumps(entries))
    (root / "lines.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return root


def results_seed(root: Path) -> Path:
    """A tree with detectors' results of three kinds, which no sample has."""
    root.mkdir()
    (root / "keypoints.json").write_text(json.dumps({"joints": {"nose": "nose", "hip": "left_hip", "ball": None}}))
    pose = [10.5, 20, 0.9, 30, 40, 0.8, 1, 1, 0]
    pairs = {"keypoints": [[10.5, 20], [30, 40], [1, 1]], "keypoint_scores": [0.9, 0.8, 0]}
    of_kind = {
        "coco": [{"image_id": n, "track_id": who, "keypoints": pose, "score": 1} for n in range(5) for who in (1, 2)],
        "alphapose": [{"image_id": f"{n}.jpg", "keypoints": pose, "idx": [[1.0]]} for n in range(5)],
        "mmpose": [{"frame_id": n, "instances": [pairs] if n else []} for n in range(5)],
    }
    for name, content in of_kind.items():
        (root / f"{name}.json").write_text(json.dumps(content))
    return root


def arrays_seed(root: Path) -> Path:
    """A tree with NumPy arrays of two people and of one, which no sample has; not compressed, see `raw_seeds`."""
    root.mkdir()
    (root / "keypoints.json").write_text(json.dumps({"joints": {"nose": "nose", "hip": "left_hip", "ball": None}}))
    points = np.random.default_rng(0).uniform(10, 700, (6, 3, 2))
    who = {"person": [0, 0, 0, 1, 1, 1], "person_name": ["ann", "bob"], "frame_number": [0, 1, 2, 0, 1, 2]}
    np.savez(root / "two.npz", points=points, confidence=points[..., 0], keypoint=["hip", "nose", "ball"], **who)
    np.savez(root / "one.npz", points=points.astype(np.float32))
    return root


KEYPOINT_SEEDS = {"mediapipe": mediapipe_seed, "results": results_seed, "arrays": arrays_seed}
"""Kinds of files of `--dataset keypoints` that no sample has."""


def fuzz(tree: Path, name: str, work: Path, tries: int, seed: int = 0, pattern: str = "*") -> Outcome:
    """Change one file of a tree at a time, of those that match, and read what it belongs to."""
    outcome = Outcome(f"changed files of {name}" + ("" if pattern == "*" else f": {pattern}"))
    chosen = random.Random(f"{seed} {name}")
    root = work / name
    shutil.copytree(tree, root)
    unread = (".mp4", ".txt")  # videos are not opened; of the mark of synthetic data only its presence counts
    files = sorted(
        path.relative_to(tree) for path in tree.rglob(pattern) if path.is_file() and path.suffix not in unread
    )
    contents = {file: (tree / file).read_bytes() for file in files}
    sound = FORMATS[name].open(root)
    _read_all(sound)  # as it is, it is taken
    items = {path.relative_to(root): item for item in sound.items() for path in sound.files(item)}
    refused, slowest = 0, 0.0
    warnings.simplefilter("error")  # a warning of a library is printed to the user
    for i in range(tries):
        file = chosen.choice(files)
        inside = file.suffix == ".npz" and chosen.random() < 0.5
        (root / file).write_bytes((_changed_member if inside else changed)(chosen, contents[file]))
        begin = time.monotonic()
        signal.alarm(_HANGS)
        try:
            if file in items:
                _read(sound, items[file])
            else:
                _read_all(FORMATS[name].open(root))
        except BadInputError:
            refused += 1
        except Exception as error:  # noqa: BLE001 any other is what is looked for
            outcome.wrong.append(f"try {i}, {file}: {error!r}")
        signal.alarm(0)
        seconds = time.monotonic() - begin
        slowest = max(slowest, seconds)
        outcome.tries += 1
        (root / file).write_bytes(contents[file])
    strays = {path.relative_to(root) for path in root.rglob("*") if path.is_file()} ^ {
        path.relative_to(tree) for path in tree.rglob("*") if path.is_file()
    }
    outcome.expect(not strays, f"files came or went: {sorted(map(str, strays))}")
    shutil.rmtree(root)
    outcome.note = f"{refused:,} refused, the slowest took {slowest:.1f} s"
    return outcome


def _read_all(dataset: RawDataset) -> None:
    dataset.tables()
    for item in dataset.items():
        _read(dataset, item)


def _read(dataset: RawDataset, item: str) -> None:
    sequence = dataset.read(item)
    dataset.files(item)
    if not isinstance(sequence, PoseSequence):
        raise TypeError(f"{item}: {type(sequence)}")
    if sequence.detector is not None:
        for block in sequence.detector.heatmaps():
            block.astype(np.float64).sum()


def _changed_member(chosen: random.Random, content: bytes) -> bytes:
    """An .npz with one array changed under a checksum that holds, so that the change gets past the archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = chosen.choice(sorted(members))
    # Most of a file is values; its header of 128 bytes is where the parser is.
    head, values = members[name][:128], members[name][128:]
    members[name] = changed(chosen, head) + values if chosen.random() < 0.5 else head + changed(chosen, values)
    # Other compressions than numpy's fail in other ways; they take long on large files.
    others = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA) if len(content) < 10_000 else ()
    compression = chosen.choice((zipfile.ZIP_STORED, *others))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for each, data in members.items():
            archive.writestr(each, data)
    return out.getvalue() if compression == zipfile.ZIP_STORED else changed(chosen, out.getvalue())


def changed(chosen: random.Random, content: bytes) -> bytes:
    """The content with one to four random changes."""
    data = bytearray(content)
    for _ in range(chosen.randrange(1, 5)):
        at = chosen.randrange(len(data) + 1)
        match chosen.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << chosen.randrange(8)
            case 1 if data:
                data[at % len(data)] = chosen.randrange(256)
            case 2:
                del data[at:]
            case 3:
                del data[at : at + chosen.randrange(1, 40)]
            case 4:
                data[at:at] = data[at : at + chosen.randrange(1, 80)]
            case _:
                data[at : at + chosen.randrange(12)] = chosen.choice(_WORDS)
    return bytes(data)
