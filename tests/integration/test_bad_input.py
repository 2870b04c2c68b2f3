"""Faulty trees through the installed command: code 3, file and fault named, nothing left; or gone round."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy
from scipy.io import savemat

from posedata.skeleton import KEYPOINTS
from posedata.store.opened import verify

Run = Callable[..., subprocess.CompletedProcess[str]]


def first(root: Path, pattern: str) -> Path:
    return sorted(root.glob(pattern))[0]


def change_npz(path: Path, **change: Callable[[np.ndarray], np.ndarray]) -> None:  # type: ignore[type-arg]
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **{name: change[name](a) if name in change else a for name, a in arrays.items()})


def cut(path: Path, share: float = 0.5) -> None:
    os.truncate(path, int(share * path.stat().st_size))


def sixteen(path: Path) -> None:
    frames = json.loads(path.read_text())
    for frame in frames.values():
        frame["keypoints"].pop()
    path.write_text(json.dumps(frames))


def twice(path: Path) -> None:
    text = path.read_text()
    path.write_text(text[:-1] + ", " + text[1:])


def twice_images(path: Path) -> None:
    path.write_text('{"images": [], ' + path.read_text()[1:])


def crash_scipy(path: Path) -> None:
    """A file on which scipy.io.loadmat ends the process."""
    ones = {name: np.ones((2, 13)) for name in ("x", "y", "visibility")}
    savemat(path, {**ones, "action": "bowl", "train": 1.0, "dimensions": [[9.0, 9.0, 2.0]], "nframes": 2.0})
    data = bytearray(path.read_bytes())
    data[177] = 1
    path.write_bytes(data)


def pipe(path: Path) -> None:
    """A file that never ends."""
    path.unlink()
    os.mkfifo(path)


def huge(path: Path) -> None:
    """More than any real file, though a disk has room for it."""
    os.truncate(path, 1 << 40)


def linked_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def pickled(path: Path) -> None:
    """An array that runs code as it is read."""

    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(path.with_name("ran")),)

    np.savez(path, coco_joints2d=np.asarray([Evil()], object))


def bomb(path: Path) -> None:
    """Four gigabytes of zeros in four megabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("keypoints.npy", "w") as member:
        npy.write_array_header_1_0(member, {"descr": "<f8", "fortran_order": False, "shape": (1 << 29, 1)})
        for _ in range(64):
            member.write(bytes(1 << 16))


def nan_heatmap(path: Path) -> None:
    def spoil(heatmaps: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        heatmaps[20, 1, 2, 3] = np.nan
        return heatmaps

    change_npz(path, heatmaps=spoil)


# dataset, pattern of the file, what is done to it, words of the message
FAULTS: dict[str, tuple[str, str, Callable[[Path], object], str]] = {
    "brace truncated": ("brace", "dataset/*/*/*.json", cut, "JSON"),
    "brace 16 keypoints": ("brace", "dataset/*/*/*.json", sixteen, "17 of .*found 16"),
    "brace keys twice": ("brace", "dataset/*/*/*.json", twice, "twice"),
    "brace not an object": ("brace", "dataset/*/*/*.json", lambda p: p.write_text("[]"), "object"),
    "brace deep": ("brace", "dataset/*/*/*.json", lambda p: p.write_text("[" * 200_000), "JSON"),
    "brace binary": ("brace", "dataset/*/*/*.json", lambda p: p.write_bytes(b"\xff\xfe"), "UTF-8"),
    "brace pipe": ("brace", "dataset/*/*/*.json", pipe, "regular file"),
    "brace huge": ("brace", "dataset/*/*/*.json", huge, "at most"),
    "brace link": ("brace", "dataset/*/*/*.json", linked_to_itself, "readable|regular"),
    "brace pickled": ("brace", "manual_keypoints/*/*/*.npz", pickled, "without pickles"),
    "brace manual": ("brace", "manual_keypoints/*/*/*.npz", cut, "npz"),
    "penn garbage": ("penn_action", "labels/*.mat", lambda p: p.write_bytes(b"garbage" * 99), "MATLAB"),
    "penn truncated": ("penn_action", "labels/*.mat", cut, "MATLAB|expected"),
    "penn empty": ("penn_action", "labels/*.mat", lambda p: p.write_bytes(b""), "MATLAB"),
    "penn crashes scipy": ("penn_action", "labels/*.mat", crash_scipy, "MATLAB|expected"),
    "penn pipe": ("penn_action", "labels/*.mat", pipe, "regular file"),
    "penn huge": ("penn_action", "labels/*.mat", huge, "MATLAB|expected"),
    "climb bomb": ("climbalong", "target/*.npz", bomb, "too large to be meant"),
    "climb pipe": ("climbalong", "input/*.npz", pipe, "counterpart|regular"),
    "climb truncated": ("climbalong", "input/*.npz", cut, "npz"),
    "climb lone": ("climbalong", "input/*.npz", Path.unlink, "counterpart"),
    "climb x y w h": (
        "climbalong",
        "input/*.npz",
        lambda p: change_npz(p, bboxes=lambda b: np.tile(np.float32([300, 400, 200, 250]), (len(b), 1))),
        "x y w h",
    ),
    "climb wrong T": (
        "climbalong",
        "target/*.npz",
        lambda p: change_npz(p, keypoints=lambda k: k[:-1]),
        "as the target",
    ),
    "climb nan in mid-file": ("climbalong", "input/*.npz", nan_heatmap, "frame 20"),
    "keypoints no map": ("keypoints", "keypoints.json", Path.unlink, "joint map"),
    "keypoints map": ("keypoints", "keypoints.json", lambda p: p.write_text('{"joints": {"a": "beak"}}'), "not beak"),
    "keypoints truncated": ("keypoints", "video*.json", cut, "JSON"),
    "keypoints keys twice": ("keypoints", "video*.json", twice_images, "twice"),
    "keypoints row": ("keypoints", "*.csv", lambda p: p.write_text("frame,joint,x,y\n0,nose,1\n"), "row 1"),
    "keypoints binary": ("keypoints", "*.csv", lambda p: p.write_bytes(b"\xff\xfe"), "UTF-8"),
    "keypoints pipe": ("keypoints", "*.csv", pipe, "regular file"),
    "keypoints huge": ("keypoints", "*.csv", huge, "at most"),
    "speed21 pipe": ("speed21", "skeletons/*.data", pipe, "regular file"),
    "speed21 huge": ("speed21", "skeletons/*.data", huge, "at most"),
    "speed21 line": ("speed21", "skeletons/*.data", lambda p: p.write_text("1#2,3\n"), "line 1"),
    "speed21 metadata": ("speed21", "metadata.txt", lambda p: p.write_text("a;b\n"), "line 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_code_3_and_leaves_nothing(
    fault: str, command: Run, copy_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    name, pattern, harm, word = FAULTS[fault]
    root = copy_tree(name)
    path = first(root, pattern)
    harm(path)
    line = ("posedata", "build", "--dataset", name, "--raw", root, "--out", tmp_path / "out" / "s.zarr")
    done = command(*line, "--quiet")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines)
    assert path.name in done.stderr
    assert re.search(word, done.stderr)
    assert not path.with_name("ran").exists()
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "fault",
    [
        "brace 16 keypoints",
        "brace manual",
        "penn empty",
        "penn crashes scipy",
        "climb nan in mid-file",
        "keypoints row",
        "speed21 line",
    ],
)
def test_skip_bad_goes_round_a_fault(
    fault: str, command: Run, copy_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    name, pattern, harm, word = FAULTS[fault]
    root = copy_tree(name)
    path = first(root, pattern)
    harm(path)
    line = ("posedata", "build", "--dataset", name, "--raw", root, "--out", tmp_path / "s.zarr")
    done = command(*line, "--quiet", "--skip-bad", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [re.search(word, s["reason"]) is not None for s in told["skipped"] if path.name in s["reason"]] == [True]
    assert told["sequences"] == (3 if name == "climbalong" else 11)
    assert str(root) not in (tmp_path / "s.zarr" / "manifest.json").read_text()
    assert verify(tmp_path / "s.zarr")[1] == []


@pytest.mark.parametrize("name", ["brace", "keypoints", "penn_action", "speed21", "climbalong"])
def test_relative_coordinates_are_refused(name: str, command: Run, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    points = np.random.default_rng(0).uniform(0.1, 0.9, (5, 25, 2))
    write_relative(name, root, points)
    done = command("posedata", "build", "--dataset", name, "--raw", root, "--out", "s.zarr", "--quiet")
    assert done.returncode == 3, done.stderr
    assert "relative" in done.stderr
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())
    assert not (tmp_path / "s.zarr").exists()


def write_relative(name: str, root: Path, points: np.ndarray) -> None:  # type: ignore[type-arg]
    """A tree whose coordinates are shares of the image."""
    if name == "brace":
        folder = root / "dataset" / "2011" / "v"
        folder.mkdir(parents=True)
        frames = {
            f"v/img-{t:06d}.png": {"box": [0, 0, 1, 1, 1], "keypoints": [[x, y, 1] for x, y in pose[:17].tolist()]}
            for t, pose in enumerate(points)
        }
        (folder / "v_0-4_toprock.json").write_text(json.dumps(frames))
    elif name == "penn_action":
        (root / "labels").mkdir(parents=True)
        fields = {"x": points[:, :13, 0], "y": points[:, :13, 1], "visibility": np.ones((5, 13))}
        size = {"dimensions": [[270, 480, 5]], "nframes": 5}
        savemat(root / "labels" / "0001.mat", {**fields, **size, "action": "bowl", "train": 1})
    elif name == "keypoints":
        root.mkdir()
        (root / "keypoints.json").write_text(json.dumps({"joints": {joint: joint for joint in KEYPOINTS}}))
        rows = [f"{t},{j},{x},{y}" for t, pose in enumerate(points) for j, (x, y) in zip(KEYPOINTS, pose, strict=True)]
        (root / "walk.csv").write_text("\n".join(["frame,joint,x,y", *rows]))
    elif name == "speed21":
        (root / "skeletons").mkdir(parents=True)
        lines = [f"{t}#" + ";".join(f"{x},{y}" for x, y in pose[:16]) for t, pose in enumerate(points)]
        (root / "skeletons" / "r.data").write_text("\n".join(lines))
        (root / "metadata.txt").write_text("r;1;2;3;url;5;6;7;8;9;l;25\n")
    else:
        for folder in ("input", "target"):
            (root / folder).mkdir(parents=True)
        heatmaps = np.zeros((5, 25, 56, 56), np.float32)
        np.savez(root / "input" / "c.npz", bboxes=np.tile([0.0, 0.0, 1.0, 1.0], (5, 1)), heatmaps=heatmaps)
        np.savez(root / "target" / "c.npz", keypoints=np.concatenate([points, np.ones((5, 25, 1))], axis=-1))
