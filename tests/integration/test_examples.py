"""The Python of README, of the pages of docs/, and of docstrings, executed beside a synthetic store."""

import doctest
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.samples import write_sample

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(
    r"(?:^<!-- (?P<word>needs|not run:) (?P<what>.*) -->\n)?^ *```(?P<language>py\w*)\b.*\n(?P<code>(?s:.*?))^ *```$",
    re.MULTILINE,
)
FLAGS = doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """Of a page: `needs` a package that may not be there, or is `not_run` for a reason."""

    language: str
    code: str
    needs: str
    not_run: str


def blocks(page: Path) -> list[Block]:
    found = []
    for match in _BLOCK.finditer(page.read_text()):
        word, what = match["word"], match["what"] or ""
        marks = (what if word == "needs" else "", what if word == "not run:" else "")
        found.append(Block(match["language"], match["code"], *marks))
    return found


WITH_PYTHON = {page: found for page in PAGES if (found := blocks(page))}


@pytest.fixture
def beside_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the data home that the examples speak of."""
    write_sample("brace", tmp_path / "data" / "raw" / "brace")
    for k in (1.0, 2.0):
        recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(k=k))
        out = tmp_path / "data" / "stores" / recipe.store_name
        build_store(recipe, {"brace": tmp_path / "data" / "raw" / "brace"}, out)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POSEDATA_HOME", raising=False)
    return tmp_path


def run_examples(text: str, names: dict[str, Any], where: str) -> None:
    """Prompts, with what they are to print."""
    test = doctest.DocTestParser().get_doctest(text, names, where, where, 0)
    told: list[str] = []
    failed, tried = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append, clear_globs=False)
    names.update(test.globs)
    assert tried, f"{where}: no prompt"
    assert not failed, "".join(told)


@pytest.mark.usefixtures("beside_a_store")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=lambda page: page.stem)
def test_the_python_of_a_page_works(page: Path) -> None:
    """Block after block, in one namespace. What goes on with a block that is left out, is left out with it."""
    names: dict[str, Any] = {"__name__": "page"}
    left_out = ""
    for block in WITH_PYTHON[page]:
        if block.not_run:
            continue
        if block.needs and not find_spec(block.needs):
            left_out = block.needs
        elif block.language == "pycon":
            run_examples(block.code, names, str(page))
        else:
            exec(compile(block.code, str(page), "exec"), names)  # noqa: S102 our own
    if left_out:
        pytest.skip(f"{left_out} is not installed: all blocks were run but those that need it")


def test_marks_are_understood() -> None:
    """A block that is not run says why; no language is misspelt."""
    every = [block for found in WITH_PYTHON.values() for block in found]
    assert {block.language for block in every} <= {"python", "pycon"}
    assert [block.needs for block in every if block.needs] == ["movement", "movement"]
    for page in PAGES:
        text = page.read_text()
        marks = len(re.findall(r"<!-- (needs|not run:)", text))
        assert marks == sum(bool(block.needs or block.not_run) for block in WITH_PYTHON.get(page, [])), page
        assert len(re.findall(r"^ *```py", text, re.MULTILINE)) == len(WITH_PYTHON.get(page, [])), page


def modules_with_examples() -> Iterator[str]:
    for package in ("posedata", "posetrain"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if ">>> " in path.read_text():
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.usefixtures("beside_a_store")
@pytest.mark.parametrize("name", list(modules_with_examples()))
def test_the_examples_of_docstrings_work(name: str) -> None:
    module = import_module(name)
    names = vars(module) | {"np": np, "Path": Path}
    found = [test for test in doctest.DocTestFinder().find(module, globs=names) if test.examples]
    assert found, "the prompts stand in no docstring"
    for test in found:
        run_examples(str(test.docstring), dict(test.globs), test.name)
