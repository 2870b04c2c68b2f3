"""The site that `make docs` builds: sound, complete, and nothing of it comes from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from browser import Browser

import posedata
from posedata.cli import cli as posedata_cli
from posetrain.cli import cli as posetrain_cli

ROOT = Path(__file__).parents[2]
FETCHED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "use": "href"}
"""Tag -> the attribute whose address a browser fetches by itself."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does: a warning is an error."""
    made = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--quiet", "--site-dir", made],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (built.returncode, built.stdout, built.stderr) == (0, "", "")
    return made


class Fetched(HTMLParser):
    """Addresses that a browser fetches for a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(FETCHED.get(tag, ""))
        self.addresses += [address] if address else []


def elsewhere(text: str) -> list[str]:
    return [a for a in Fetched(text).addresses if re.match(r"(\w+:)?//", a)]


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 15
    assert {page.name: found for page in pages if (found := elsewhere(page.read_text()))} == {}
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()[^);]*//", re.sub(r"url\(.?data:[^)]*\)", "", style.read_text())), style


def test_what_is_fetched_is_seen() -> None:
    """Or pages without it would prove nothing."""
    page = '<a href="https://a/"></a><script src="https://b/"></script><link href="//c/"><img src="d.png">'
    assert elsewhere(page) == ["https://b/", "//c/"]


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{path} {name}")


@pytest.mark.parametrize(("name", "cli"), [("posedata", posedata_cli), ("posetrain", posetrain_cli)])
def test_every_command_and_option_is_on_its_page(name: str, cli: click.Command, site: Path) -> None:
    text = (site / f"commands-{name}.html").read_text()
    assert "\b" not in text
    headed = re.split(r'<h[12] id="([\w-]+)"', text)
    sections = dict(zip(headed[1::2], headed[2::2], strict=True))
    for path, command in commands(cli, name):
        section = sections[path.replace(" ", "-")]
        blocks = [words(block) for block in re.findall(r"<pre>(.*?)</pre>", section, re.DOTALL)]
        options = [o for parameter in command.params if isinstance(parameter, click.Option) for o in parameter.opts]
        assert [o for o in options if not re.search(rf"^ .*{o}\b", blocks[-1], re.MULTILINE)] == [], path
        examples = re.findall(r"^ +((?:posedata|posetrain|torchrun) .*)$", command.help or "", re.MULTILINE)
        assert examples
        assert [line for line in examples if line not in blocks[0].splitlines()] == []


def words(html: str) -> str:
    """Text without its tags."""
    return unescape(re.sub(r"<[^>]+>", "", html))


def test_every_public_name_is_on_its_page(site: Path) -> None:
    headings = re.findall(r'<h3 id="([\w.]+)"', (site / "api.html").read_text())
    assert {heading.rpartition(".")[2] for heading in headings} == set(posedata.__all__)


def test_the_files_of_the_example_stand_on_their_page(site: Path) -> None:
    text = words((site / "adding-a-dataset.html").read_text())
    for path in (ROOT / "tests" / "example_format").iterdir():
        if path.is_file():
            assert path.read_text().strip() in text, path


@pytest.mark.parametrize("page", ["index", "commands-posedata", "commands-posetrain", "api", "api-modules"])
def test_a_page_opens_without_an_error_or_a_request(page: str, site: Path, browser: Browser) -> None:
    browser.open((site / f"{page}.html").as_uri())
    assert browser.ask("document.querySelector('h1').innerText")
    assert browser.ask("getComputedStyle(document.querySelector('.md-header')).position") == "sticky"
    assert browser.ask("Array.from(document.images).every(image => image.naturalWidth > 0)") is True
    assert browser.faults(rf"({re.escape(site.as_uri())}/|data:|about:)") == []


def test_the_search_works_without_a_server(site: Path, browser: Browser) -> None:
    browser.open((site / "index.html").as_uri())
    found = browser.ask(
        """new Promise((done, fail) => {
          setTimeout(() => fail("no result"), 30000);
          const results = document.querySelector(".md-search-result__list");
          new MutationObserver(() => {
            if (results.querySelector("a")) done(Array.from(results.querySelectorAll("a")).map(a => a.href));
          }).observe(results, { childList: true });
          document.querySelector("#__search").click();
          const query = document.querySelector(".md-search__input");
          query.focus();
          query.value = "Glorot";
          query.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true }));
          query.dispatchEvent(new InputEvent("input", { bubbles: true }));
        })"""
    )
    assert all("training.html" in address for address in found)
    assert browser.faults(rf"({re.escape(site.as_uri())}/|data:|about:)") == []
