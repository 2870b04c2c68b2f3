"""Histograms as SVG."""

from typing import Any
from xml.etree import ElementTree

from posedata.figures import COLOURS
from posedata.stats.plots import histogram_svg


def entry(*counts: int, what: str = "torso") -> dict[str, Any]:
    datasets = {
        f"d{number}": {"count": count, "histogram": [count - 1, 1] if count else [0, 0], "quantiles": {"0.5": 4.0}}
        for number, count in enumerate(counts)
    }
    return {"what": what, "unit": "grid px", "edges": [0.0, 5.0, 10.0], "datasets": datasets}


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert histogram_svg(entry(10, 20)) == histogram_svg(entry(10, 20)) != histogram_svg(entry(10, 30))


def test_a_picture_is_svg_with_its_unit_and_a_colour_a_dataset() -> None:
    picture = histogram_svg(entry(10, 0, 20))
    assert ElementTree.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314
    text = picture.decode()
    assert "grid px" in text
    assert ">20%<" in text
    # A dataset without a number has no line, and takes no other's colour.
    assert [colour in text for colour in COLOURS[:4]] == [True, False, True, False]
    assert text.count("stroke-dasharray") >= 2
