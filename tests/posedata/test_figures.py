"""Figures as SVG: text or outlines, names that a salt decides."""

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from posedata.figures import COLOURS, svg


def figure() -> Figure:
    made = Figure(figsize=(2, 2))
    axes = made.subplots()
    axes.plot([0, 1], [0, 1], "o", color=COLOURS[0])
    axes.set_title("Torso")
    return made


def names(document: bytes) -> set[bytes]:
    """Of shapes that are drawn more than once: the marks of a line."""
    return set(re.findall(rb'xlink:href="#(\w+)"', document))


def test_a_figure_is_an_svg_document_without_a_date() -> None:
    document = svg(figure(), "one")
    assert ElementTree.fromstring(document).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 our own
    assert b"<dc:date>" not in document
    assert COLOURS[0].encode() in document


def test_the_salt_alone_decides_names_of_shapes() -> None:
    assert svg(figure(), "one") == svg(figure(), "one")
    assert names(svg(figure(), "one"))
    assert names(svg(figure(), "one")).isdisjoint(names(svg(figure(), "another")))


def test_words_are_text_or_outlines() -> None:
    assert b">Torso<" in svg(figure(), "one")
    assert b">Torso<" not in svg(figure(), "one", letters=False)


def test_colours_are_told_apart() -> None:
    assert len(set(COLOURS)) == len(COLOURS) == 6
