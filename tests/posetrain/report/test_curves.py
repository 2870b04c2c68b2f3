from dataclasses import replace
from xml.etree import ElementTree

from posetrain.report.collect import Trained
from posetrain.report.curves import curves_svg

SVG = "{http://www.w3.org/2000/svg}"
REFERENCE = "{http://www.w3.org/1999/xlink}href"


def history(*rates: float) -> list[dict[str, float]]:
    """Epochs of these learning rates."""
    return [
        {"epoch": i, "train_loss": 1 / i, "val_loss": 2 / i, "val_pck@0.2": 10.0 * i, "learning_rate": rate}
        for i, rate in enumerate(rates, start=1)
    ]


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


def test_a_row_of_panels_for_every_model_and_its_finetuning(trained: dict[str, Trained]) -> None:
    svg = curves_svg(list(trained.values()), {}).decode()
    for row in ("smoothnet", "conv3d", "smoothnet, finetuned"):
        for panel in ("training loss", "validation loss", "validation PCK@0.2, %"):
            assert svg.count(f"<!-- {row}: {panel} -->") == 1


def test_runs_of_a_model_share_its_row_and_are_told_apart_by_experiment_or_name(trained: dict[str, Trained]) -> None:
    first = trained["smooth"]
    half = replace(first, config=first.config.model_copy(update={"frame_step": 2}))
    svg = curves_svg([first, half], {}).decode()
    assert svg.count("training loss -->") == 1
    assert [svg.count(f"<!-- {label} -->") for label in ("1.1", "1.3")] == [1, 1]
    svg = curves_svg([first, replace(first, name="another seed")], {}).decode()
    assert [svg.count(f"<!-- {label} -->") for label in ("1.1", "smooth", "another seed")] == [0, 1, 1]
    assert "<!-- tuned -->" in curves_svg([trained["tuned"]], {}).decode()


def test_dots_stand_where_the_learning_rate_fell(trained: dict[str, Trained]) -> None:
    even = replace(trained["conv"], history=history(1e-3, 1e-3, 1e-3))
    falling = replace(trained["conv"], history=history(1e-3, 1e-3, 1e-4, 1e-4, 1e-5))
    assert dots(curves_svg([even], {})) == 0
    assert dots(curves_svg([falling], {})) == 2 * 3  # two falls, three panels
    assert dots(curves_svg([even, falling], {})) == 2 * 3


def test_the_identity_is_a_dashed_line_for_every_run(trained: dict[str, Trained]) -> None:
    runs = [trained["smooth"], replace(trained["smooth"], run=trained["conv"].run)]
    plain = curves_svg(runs, {})
    assert dashed(plain) == 0
    drawn = curves_svg(runs, {run.run: 20.0 for run in runs})
    assert drawn.decode().count("<!-- identity -->") == 1  # named once
    assert dashed(drawn) == 2 + 1  # two lines and the legend's


def test_an_epoch_without_pck_is_left_out_of_that_panel_only(trained: dict[str, Trained]) -> None:
    rows = history(1e-3, 1e-3)
    del rows[0]["val_pck@0.2"]
    legend = 1
    assert marks(curves_svg([replace(trained["conv"], history=rows)], {})) == 2 + 2 + 1 + legend
    assert marks(curves_svg([replace(trained["conv"], history=history(1e-3, 1e-3))], {})) == 2 + 2 + 2 + legend


def test_the_same_runs_make_the_same_bytes(trained: dict[str, Trained]) -> None:
    runs = list(trained.values())
    assert curves_svg(runs, {runs[0].run: 20.0}) == curves_svg(runs, {runs[0].run: 20.0})
