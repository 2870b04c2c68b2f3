"""`posedata stats`, from outside."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

KEYS = {
    "store",
    "content_digest",
    "synthetic",
    "frames",
    "sequences",
    "videos",
    "mind",
    "frames_by",
    "annotated_percent",
    "windows",
    "window_length",
    "noise",
    "identity_pck",
    "distributions",
}


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_tables_json_and_page_of_one_store(name: str, command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in stores[name].rglob("*")}
    done = command("posedata", "stats", stores[name], "--json", "--out", "page.html")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.keys() == KEYS
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert {path: path.stat().st_mtime_ns for path in stores[name].rglob("*")} == before

    done = command("posedata", "stats", stores[name], "-q")
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout
    assert shown.index("Mind") < shown.index("Frames") < shown.index("Distributions")
    assert all(doubt["what"] in shown for doubt in told["mind"])
    assert f"{told['frames']:,} frames" in shown


def test_a_page_is_not_replaced_unasked_nor_put_into_a_store(
    command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    done = command("posedata", "stats", stores["brace"], "--out", page)
    assert (done.returncode, page.read_text()) == (6, "mine")
    assert "--overwrite" in done.stderr
    assert command("posedata", "stats", stores["brace"], "--out", page, "--overwrite").returncode == 0
    assert page.read_text() != "mine"
    done = command("posedata", "stats", stores["brace"], "--out", stores["brace"] / "page.html")
    assert done.returncode == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html"]


def test_no_store_and_a_damaged_one(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    import shutil

    done = command("posedata", "stats", "none.zarr", "--out", "page.html")
    assert done.returncode == 3
    bad = shutil.copytree(stores["brace"], tmp_path / "bad.zarr")
    path = bad / "target_points" / "c" / "0" / "0" / "0"
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    done = command("posedata", "stats", bad, "--out", "page.html")
    assert done.returncode == 4
    assert "target_points" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.zarr"]
