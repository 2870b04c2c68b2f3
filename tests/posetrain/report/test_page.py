import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from posetrain.report.page import Contents, html, markdown, picture_name
from posetrain.report.tables import Cell, Line, Table

VOID = {"meta", "img", "br", "hr", "link", "input", "path", "use"}


class Page(HTMLParser):
    """Notes what a browser would: tags that fit, what is fetched, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.links += [found[name] or "" for name in ("href", "src") if name in found]

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def made() -> Contents:
    """A report by hand."""
    cells = {
        "0.1": Cell(12.345, (10.0, 15.0), best=True, level=True),
        "0.2": Cell(50.0, None),
    }
    level = {"0.1": Cell(11.0, (9.0, 14.0), level=True), "0.2": Cell(None)}
    lines = [Line("mine", "2 x 3 steps of 4", 2, cells, 1.234), Line("identity", "", None, level)]
    pck = Table("a store; test split", "test", ["0.1", "0.2"], lines)
    joints = Table("a store; test split", "test", ["0.1"], [Line("mine", "", 2, {"0.1": Cell(7.0)})])
    svg = b'<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg"><title>c</title></svg>'
    return Contents([pck], [joints], svg, {"mine": b"\x89PNG"}, [], {"store": "ab12"})


def test_a_page_is_sound_and_fetches_nothing(report: tuple[Path, Contents]) -> None:
    page = Page(html(report[1]))
    assert page.open == []
    outside = [link for link in page.links if not link.startswith(("#", "data:image/png;base64,"))]
    assert outside == []
    assert {link[1:] for link in page.links if re.fullmatch(r"#[a-z]+", link)} <= page.ids
    assert "url(http" not in html(report[1])


def test_the_pictures_are_in_the_page(made: Contents) -> None:
    (source,) = (link for link in Page(html(made)).links if link.startswith("data:"))
    assert base64.b64decode(source.partition(",")[2]) == b"\x89PNG"
    assert "<svg xmlns" in html(made)
    assert "<?xml" not in html(made)


def test_figures_stand_with_interval_and_mark(made: Contents) -> None:
    words = [word.strip() for word in Page(html(made)).words if word.strip()]
    (first, *_) = (i for i, word in enumerate(words) if word == "mine")
    assert words[first : first + 6] == ["mine", "2 x 3 steps of 4", "2", "12.3", "10.0 to 15.0", "50.0"]
    assert "11.0*" in words
    assert not {"None", "nan"} & set(words)


def test_what_nobody_can_tell_is_marked_so(made: Contents) -> None:
    unknown = {"0.1": Cell(9.0, level=None), "0.2": Cell(None, level=None)}
    table = replace(made.pck[0], lines=[Line("a", "", 1, unknown)])
    assert r"| a |  | 1 | 9.0\? |  |  |" in markdown(replace(made, pck=[table])).splitlines()
    assert "9.0?" in Page(html(replace(made, pck=[table]))).words


def test_markdown_has_a_line_a_row(made: Contents) -> None:
    lines = markdown(made).splitlines()
    assert "| mine | 2 x 3 steps of 4 | 2 | **12.3** (10.0 to 15.0) | 50.0 | 1.23 |" in lines
    assert r"| identity |  |  | 11.0\* (9.0 to 14.0) |  |  |" in lines
    assert "| mine | 2 | 7.0 |" in lines
    assert "![Worst windows of mine](worst-mine.png)" in markdown(made)
    assert "![Curves](curves.svg)" in lines


def test_tables_of_markdown_are_even(report: tuple[Path, Contents]) -> None:
    """Every row of a table has as many cells as its head, and an empty line stands before it."""
    text = markdown(report[1])
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(counts) == 1
        assert f"\n\n{table}" in text


@pytest.mark.parametrize("render", [html, markdown])
def test_runs_that_were_left_out_are_named(render: object, made: Contents) -> None:
    write = html if render is html else markdown
    assert "Left out" not in write(made)
    assert "Left out, no epoch is finished: runs/a, runs/b." in write(
        replace(made, left_out=[Path("runs/a"), Path("runs/b")])
    )


@pytest.mark.parametrize("render", [html, markdown])
def test_a_held_out_table_is_marked(render: object, made: Contents) -> None:
    write = html if render is html else markdown
    held = replace(made, pck=[replace(made.pck[0], split="held_out")])
    words = "A video that no training has seen"
    assert (words in write(made), words in write(held)) == (False, True)


def test_names_are_text_not_markup(made: Contents) -> None:
    name = '<script>alert("x")</script>'
    table = replace(made.pck[0], lines=[replace(made.pck[0].lines[0], name=name)])
    text = html(replace(made, pck=[table], worst={name: b""}))
    assert "<script" not in text
    assert name in "".join(Page(text).words)


def test_a_picture_of_a_run_in_a_folder_lies_beside_the_others() -> None:
    assert picture_name("sweep/conv3d-1.1") == "worst-sweep~1conv3d-1.1.png"
    assert len({picture_name(run) for run in ("a/b", "a-b", "a~b", "a~/b", "a/~b")}) == 5
