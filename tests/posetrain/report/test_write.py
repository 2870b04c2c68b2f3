import base64
from pathlib import Path

import markdown
import pytest
import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.progress import silent
from posetrain.checkpoints import read_run, write_json
from posetrain.report.page import Contents
from posetrain.report.write import is_report, write_report

CPU = torch.device("cpu")
OPTIONS = {"feed": "auto", "sequences": False}
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


def test_tables_of_the_markdown_are_tables(report: tuple[Path, Contents]) -> None:
    out, made = report
    shown = markdown.markdown((out / "report.md").read_text(), extensions=["tables"])
    tables = [*made.pck, *made.joints]
    assert shown.count("<table>") == len(tables) > 1
    assert shown.count("<tr>") == sum(1 + len(table.lines) for table in tables)
    assert "<p>|" not in shown


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
    write_report(given, out, False, OPTIONS, set(), CPU, silent)
    first = contents(out)
    assert first == contents(report[0])
    with pytest.raises(ConflictError, match="--overwrite"):
        write_report(given, out, False, OPTIONS, set(), CPU, silent)
    write_report(given[:2], out, True, OPTIONS, set(), CPU, silent)
    assert contents(out).keys() == FILES - {"worst-tuned.png"}
    (out / "notes.txt").write_text("mine")
    assert not is_report(out)
    with pytest.raises(ConflictError, match="expected one of its kind"):
        write_report(given[:2], out, True, OPTIONS, set(), CPU, silent)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_name_that_ends_in_html_is_the_page_alone(report: tuple[Path, Contents], runs: Path, tmp_path: Path) -> None:
    given, out = [runs / name for name in ("smooth", "begun", "tuned")], tmp_path / "told.html"
    write_report(given, out, False, OPTIONS, set(), CPU, silent)
    assert out.read_bytes() == (report[0] / "report.html").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["told.html"]
    out.write_text("mine")
    with pytest.raises(ConflictError, match="--overwrite"):
        write_report(given, out, False, OPTIONS, set(), CPU, silent)
    assert out.read_text() == "mine"


def test_nothing_finished_leaves_nothing(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"begun: expected runs with a finished epoch, found none"):
        write_report([runs / "begun"], tmp_path / "report", False, OPTIONS, set(), CPU, silent)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_runs_are_no_report(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="expected runs of refiners, found none"):
        write_report([], tmp_path / "report", False, OPTIONS, set(), CPU, silent)


def test_runs_of_different_kinds_are_told_apart(runs: Path, tmp_path: Path) -> None:
    info = read_run(runs / "begun")
    detector = info.model_copy(update={"config": info.config.model_copy(update={"model": "hourglass"})})
    write_json(tmp_path / "detector" / "run.json", detector.model_dump())
    words = r"smooth on temporal-heatmaps, .*detector on image-crops; make a report of each kind"
    with pytest.raises(ChoiceError, match=words):
        write_report([runs / "smooth", tmp_path / "detector"], tmp_path / "r", False, OPTIONS, set(), CPU, silent)
    with pytest.raises(ChoiceError, match=r"--sequences: .* found with runs on image-crops"):
        write_report([tmp_path / "detector"], tmp_path / "r", False, OPTIONS, {"sequences"}, CPU, silent)
    assert [path.name for path in tmp_path.iterdir()] == ["detector"]
