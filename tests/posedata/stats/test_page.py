import base64
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest
from browser import Browser

from posedata.stats import tables
from posedata.stats.page import render
from posedata.stats.report import describe
from posedata.store.reader import open_store

VOID = {"meta", "img", "link", "br"}


class Page(HTMLParser):
    """Tags that fit, what is fetched, pictures, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.pictures: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        found = dict(attrs)
        self.ids.add(found.get("id") or "")
        self.links += [found["href"] or ""] if "href" in found else []
        self.pictures += [found["src"] or ""] if "src" in found else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def told(stores: dict[str, Path]) -> dict[str, Any]:
    return describe(open_store(stores["penn_action"]))


def test_a_page_is_sound_and_fetches_nothing(told: dict[str, Any]) -> None:
    page = Page(render(told))
    assert page.open == []
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert "default-src 'none'" in render(told)
    assert len(page.pictures) == len(told["distributions"])
    for picture in page.pictures:
        kind, _, data = picture.partition(",")
        assert kind == "data:image/svg+xml;base64"
        svg = base64.b64decode(data)
        assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 our own
        assert not re.search(rb'(href|src)="(?!#)', svg)


def test_a_page_tells_what_the_tables_tell(told: dict[str, Any]) -> None:
    words = Page(render(told)).words
    for doubt in told["mind"]:
        assert doubt["what"] in words
        assert doubt["rule"] in words
    for _, rows in list(tables.tables(told))[1:]:
        assert all(str(cell) in words for row in rows for cell in row)
    assert "(synthetic)" in words
    assert told["content_digest"] in words


def test_names_cannot_write_html(told: dict[str, Any]) -> None:
    doubt = {"name": "x", "what": "<b>one</b>", "count": 1, "which": ("<script>",), "rule": "<i>", "why": "&"}
    page = Page(render(told | {"mind": [doubt], "store": "/a/<u>.zarr"}))
    assert all(text in page.words for text in ("<b>one</b>", "<script>", "<i>", "&", "<u>.zarr"))
    assert page.open == []


def test_nothing_to_mind_is_said(told: dict[str, Any]) -> None:
    assert "Nothing stands out" in Page(render(told | {"mind": []})).words
    assert tables.minded({"mind": []}) == [("nothing stands out",)]


def test_the_same_store_makes_the_same_page(told: dict[str, Any]) -> None:
    assert render(told) == render(told)


def test_a_detectors_store_has_a_page(stores: dict[str, Path]) -> None:
    words = Page(render(describe(open_store(stores["climbalong"])))).words
    assert "a detector's input" in words
    assert "held_out" in words


@pytest.mark.parametrize("name", ["penn_action", "climbalong"])
def test_a_page_opens_without_an_error_or_a_request(
    name: str, stores: dict[str, Path], command: Callable[..., CompletedProcess[str]], browser: Browser, tmp_path: Path
) -> None:
    made = command("posedata", "stats", stores[name], "--out", "p.html", "--quiet")
    assert made.returncode == 0, made.stderr
    browser.open((tmp_path / "p.html").as_uri())
    pictures = "Array.from(document.images)"
    assert browser.ask(f"{pictures}.length") > 3
    assert browser.ask(f"{pictures}.every(image => image.complete && image.naturalWidth > 100)") is True
    # The pictures, and the favicon that is none, stand in the page itself.
    assert browser.faults(r"(file:.*/p\.html|data:.*)$") == []
