from collections.abc import Mapping
from dataclasses import replace
from xml.etree import ElementTree

from posetrain.report.curves import Curve, curves_svg

SVG = "{http://www.w3.org/2000/svg}"
REFERENCE = "{http://www.w3.org/1999/xlink}href"


def history(*rates: float) -> list[dict[str, float]]:
    """Epochs of these learning rates."""
    return [
        {"epoch": i, "train_loss": 1 / i, "val_loss": 2 / i, "val_pck@0.2": 10.0 * i, "learning_rate": rate}
        for i, rate in enumerate(rates, start=1)
    ]


CONV = Curve("conv3d", "1.1", history(1e-3, 1e-3), None)
SMOOTH = replace(CONV, row="smoothnet", label="smooth")


def without(curve: Curve, column: str, epochs: slice = slice(None)) -> Curve:
    """One that has nothing in that column, in some epochs."""
    rows: list[Mapping[str, float]] = list(curve.history)
    rows[epochs] = [{name: value for name, value in row.items() if name != column} for row in rows[epochs]]
    return replace(curve, history=rows)


def marks(svg: bytes, colour: str = "#4477aa") -> int:
    """How many marks of a colour are drawn."""
    root = ElementTree.fromstring(svg)  # noqa: S314 our own
    return sum(colour in use.get("style", "") for use in root.iter(f"{SVG}use"))


def dots(svg: bytes) -> int:
    """How many of all marks are round."""
    root = ElementTree.fromstring(svg)  # noqa: S314 our own
    round_ones = {f"#{path.get('id')}" for path in root.iter(f"{SVG}path") if "C" in path.get("d", "")}
    return sum(use.get(REFERENCE) in round_ones for use in root.iter(f"{SVG}use"))


def dashed(svg: bytes) -> int:
    return svg.decode().count("stroke-dasharray")


def test_a_row_of_panels_for_all_that_are_alike() -> None:
    svg = curves_svg([CONV, SMOOTH, replace(CONV, label="another")], "identity").decode()
    for row in ("smoothnet", "conv3d"):
        for panel in ("training loss", "validation loss", "validation PCK@0.2, %"):
            assert svg.count(f"<!-- {row}: {panel} -->") == 1
    assert [svg.count(f"<!-- {label} -->") for label in ("1.1", "smooth", "another")] == [1, 1, 1]


def test_the_score_is_that_of_the_runs() -> None:
    rows = [{**row, "val_mpjpe": 90.0} for row in without(CONV, "val_pck@0.2").history]
    svg = curves_svg([replace(CONV, history=rows), SMOOTH], "mean-pose").decode()
    assert svg.count("<!-- conv3d: validation MPJPE, mm -->") == 1
    assert svg.count("<!-- smoothnet: validation PCK@0.2, % -->") == 1


def test_what_has_no_score_has_its_losses_alone() -> None:
    svg = curves_svg([without(CONV, "val_pck@0.2")], "mean-pose")
    assert b"conv3d: validation loss -->" in svg
    assert b"PCK" not in svg
    legend = 1
    assert marks(svg) == 2 + 2 + legend


def test_losses_that_fall_steeply_stand_on_a_logarithmic_axis() -> None:
    steep = [{**row, "train_loss": 10.0 ** -row["epoch"]} for row in history(1e-3, 1e-3, 1e-3, 1e-3)]
    assert b"10^{-4}" in curves_svg([replace(CONV, history=steep)], "")
    assert b"10^{-" not in curves_svg([replace(CONV, history=steep[:2])], "")


def test_dots_stand_where_the_learning_rate_fell() -> None:
    even = replace(CONV, history=history(1e-3, 1e-3, 1e-3))
    falling = replace(CONV, history=history(1e-3, 1e-3, 1e-4, 1e-4, 1e-5))
    assert dots(curves_svg([even], "")) == 0
    assert dots(curves_svg([falling], "")) == 2 * 3  # two falls, three panels
    assert dots(curves_svg([even, falling], "")) == 2 * 3


def test_the_baseline_is_a_dashed_line_for_every_run() -> None:
    assert dashed(curves_svg([CONV, CONV], "identity")) == 0
    drawn = curves_svg([replace(CONV, baseline=20.0)] * 2, "identity")
    assert drawn.decode().count("<!-- identity -->") == 1  # named once
    assert dashed(drawn) == 2 + 1  # two lines and the legend's


def test_an_epoch_without_pck_is_left_out_of_that_panel_only() -> None:
    legend = 1
    assert marks(curves_svg([without(CONV, "val_pck@0.2", slice(1))], "")) == 2 + 2 + 1 + legend
    assert marks(curves_svg([CONV], "")) == 2 + 2 + 2 + legend


def test_the_same_runs_make_the_same_bytes() -> None:
    runs = [replace(CONV, baseline=20.0), SMOOTH]
    assert curves_svg(runs, "identity") == curves_svg(runs, "identity")
