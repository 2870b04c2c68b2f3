import base64
from pathlib import Path

import pytest
import torch

from posedata.errors import BadInputError, ConflictError
from posedata.progress import silent
from posetrain.report.page import Contents
from posetrain.report.write import is_report, write_report

CPU = torch.device("cpu")
FILES = {"report.html", "report.md", "pck.csv", "joints.csv", "curves.svg", "worst-smooth.png", "worst-tuned.png"}
pytestmark = pytest.mark.usefixtures("few")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_report_is_its_files_and_nothing_else(report: tuple[Path, Contents], runs: Path) -> None:
    out, made = report
    assert contents(out).keys() == FILES
    assert made.left_out == [runs / "begun"]
    assert made.digests.keys() == {"penn_action", "climbalong"}
    assert is_report(out)


def test_pictures_beside_the_page_are_those_inside_it(report: tuple[Path, Contents]) -> None:
    page = (report[0] / "report.html").read_text()
    for name in ("smooth", "tuned"):
        png = (report[0] / f"worst-{name}.png").read_bytes()
        assert png.startswith(b"\x89PNG")
        assert base64.b64encode(png).decode() in page


def test_a_second_report_of_the_same_runs_is_the_same_and_replaces_only_a_report(
    report: tuple[Path, Contents], runs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "report"
    given = [runs / name for name in ("smooth", "begun", "tuned")]
    write_report(given, out, False, CPU, "auto", silent)
    first = contents(out)
    assert first == contents(report[0])
    with pytest.raises(ConflictError, match="--overwrite"):
        write_report(given, out, False, CPU, "auto", silent)
    write_report(given[:2], out, True, CPU, "auto", silent)
    assert contents(out).keys() == FILES - {"worst-tuned.png"}
    (out / "notes.txt").write_text("mine")
    assert not is_report(out)
    with pytest.raises(ConflictError, match="expected one of its kind"):
        write_report(given[:2], out, True, CPU, "auto", silent)
    assert (out / "notes.txt").read_text() == "mine"


def test_nothing_finished_leaves_nothing(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"begun: expected runs with a finished epoch, found none"):
        write_report([runs / "begun"], tmp_path / "report", False, CPU, "auto", silent)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
