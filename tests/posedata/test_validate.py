"""Every fault of a tree at once; the figures are a build's own."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posedata.build import dry_run
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError, ChoiceError
from posedata.validate import validate

Copy = Callable[[str], Path]
Run = Callable[..., subprocess.CompletedProcess[str]]

NAMES = ("brace", "climbalong", "penn_action", "speed21")


def told_by_build(name: str, root: Path) -> dict[str, object]:
    detected = name == "climbalong"
    recipe = Recipe(
        datasets=(Selection(dataset=name),),
        noise=None if detected else Noise(),
        split="held-out" if detected else "video",
    )
    return dry_run(recipe, {name: root}, root / "none.zarr", skip_bad=True)


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_a_build(name: str, raw_trees: dict[str, Path]) -> None:
    found, built = validate(name, raw_trees[name]), told_by_build(name, raw_trees[name])
    assert found.faults == []
    assert found.synthetic
    assert (found.sequences, found.items) == (built["sequences"], built["sequences"])
    assert (found.frames, found.empty_frames) == (built["frames"], built["empty_frames"])
    assert found.keypoints == built["annotated_keypoints"]
    assert [w.text for w in found.warnings if w.item] == [s["reason"] for s in built["skipped"]]
    assert sum(found.left_out.values()) == sum(int(s["reason"].split()[0]) for s in built["skipped"])
    data = [p for p in raw_trees[name].rglob("*") if p.suffix in (".json", ".npz", ".mat", ".data", ".csv")]
    data += raw_trees[name].glob("metadata.txt")
    assert found.files == len(data)


def test_gaps_and_cuts_are_counted(raw_trees: dict[str, Path]) -> None:
    found = validate("brace", raw_trees["brace"])
    missing = sum(
        int(end) - int(start) + 1 - len(json.loads(path.read_text()))
        for path in (raw_trees["brace"] / "dataset").rglob("*.json")
        for start, _, end in [path.name.rpartition("_")[0].rpartition("_")[2].partition("-")]
    )
    assert found.frames_in_gaps == missing > 0
    assert 0 < found.gaps <= missing
    assert found.shot_cuts > 0


def test_every_bad_file_is_told_and_the_good_ones_counted(copy_tree: Copy) -> None:
    root = copy_tree("speed21")
    first, second, third = sorted((root / "skeletons").iterdir())[:3]
    good = validate("speed21", root)
    lines = first.read_text().splitlines()
    lost = sum(len(p.read_text().splitlines()) for p in (first, second, third))
    first.write_text("\n".join([lines[0], "x#1,2", lines[2], "9999#NULL#", *lines[3:]]))
    second.write_bytes(b"\xff\xfe")
    third.write_text("\n".join(f"{t}#NULL" for t in range(5)))
    found = validate("speed21", root)
    assert [(told.item, told.text.split(": ")[0]) for told in found.faults] == [
        (first.stem, str(first)),
        (first.stem, str(first)),
        (second.stem, str(second)),
        (third.stem, str(third)),
    ]
    assert (found.items, found.sequences) == (good.items, good.items - 3)
    assert good.frames - lost <= found.frames < good.frames
    with pytest.raises(BadInputError, match="line 2"):
        dry_run(Recipe(datasets=(Selection(dataset="speed21"),)), {"speed21": root}, root / "none.zarr")


def test_what_is_wrong_with_a_table_is_told_once(copy_tree: Copy) -> None:
    root = copy_tree("speed21")
    (root / "metadata.txt").write_text("one;two\n")
    found = validate("speed21", root)
    assert found.sequences == 0
    assert [told.text.partition(": ")[0] for told in found.faults] == [str(root / "metadata.txt")]


def test_a_bad_hand_made_frame_is_a_fault_of_the_tree(copy_tree: Copy) -> None:
    root = copy_tree("brace")
    (root / "manual_keypoints" / "stray.npz").write_bytes(b"")
    found = validate("brace", root)
    assert found.faults[0].item == ""
    assert "stray.npz: name" in found.faults[0].text
    assert len(found.faults) == 1


def test_a_detectors_heatmaps_are_read_to_the_end(copy_tree: Copy) -> None:
    root = copy_tree("climbalong")
    path = sorted((root / "input").iterdir())[1]
    with np.load(path) as arrays:
        kept = dict(arrays)
    kept["heatmaps"][-1, 0, 0, 0] = np.nan
    np.savez_compressed(path, **kept)
    found = validate("climbalong", root)
    (fault,) = found.faults
    assert fault.item == path.stem
    assert f"{path}: heatmaps: expected finite values" in fault.text
    assert found.sequences == found.items - 1


def test_a_crashing_mat_file_is_one_fault_among_others(copy_tree: Copy) -> None:
    root = copy_tree("penn_action")
    bad = sorted((root / "labels").iterdir())[3:5]
    bad[0].write_bytes(bad[0].read_bytes()[:300])
    bad[1].write_bytes(b"no matlab file")
    found = validate("penn_action", root)
    assert [told.item for told in found.faults] == [path.stem for path in bad]
    assert found.sequences == found.items - 2


def test_a_sequence_too_short_for_a_window_is_counted(copy_tree: Copy) -> None:
    root = copy_tree("speed21")
    path = min((root / "skeletons").iterdir())
    posed = [line for line in path.read_text().splitlines() if not line.endswith("NULL")]
    path.write_text("\n".join(posed[:4]))
    assert validate("speed21", root).without_window == 1


def test_no_tree_and_no_format(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="labels: expected a folder"):
        validate("penn_action", tmp_path)
    with pytest.raises(ChoiceError, match="expected one of"):
        validate("mpii", tmp_path)


def test_the_command(command: Run, copy_tree: Copy) -> None:
    root = copy_tree("speed21")
    done = command("posedata", "validate", "speed21", root)
    assert done.returncode == 0, done.stderr
    assert "faults     0" in done.stdout
    assert "warning: speed21/" in done.stderr
    assert command("posedata", "validate", "speed21", root, "--strict", "-q").returncode == 3
    path = min((root / "skeletons").iterdir())
    path.write_text("1#1,2\nx\n")
    done = command("posedata", "validate", "speed21", root, "--quiet")
    assert done.returncode == 3
    assert [line.partition(": expected")[0] for line in done.stderr.splitlines()] == [
        f"error: {path}: line 1",
        f"error: {path}: line 2",
    ]
    done = command("posedata", "validate", "speed21", root, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["ok"], len(told["faults"])) == (3, False, 2)
    assert told["faults"][0]["item"] == path.stem
    assert command("posedata", "validate", "speed21", root / "skeletons").returncode == 3
    assert command("posedata", "validate", "nothing", root).returncode == 2
