"""Templates: HTML is escaped, and nothing is left empty by mistake."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from posedata.pages import environment


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with the same template for HTML and for Markdown, and one of pictures."""
    folder = tmp_path / "some_pages"
    (folder / "templates").mkdir(parents=True)
    (folder / "__init__.py").touch()
    for ending in ("html", "md"):
        (folder / "templates" / f"page.{ending}.j2").write_text("{% if true %}\n{{ text }}\n{% endif %}\n")
    (folder / "templates" / "pictures.html.j2").write_text(
        "{{ picture | svg }}\n{{ picture | embedded }}\n{{ picture | embedded('image/svg+xml') }}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


@pytest.mark.parametrize(("ending", "expected"), [("html", "&lt;b&gt; &amp;\n"), ("md", "<b> &\n")])
def test_html_is_escaped_and_text_is_not(ending: str, expected: str, package: str) -> None:
    assert environment(package).get_template(f"page.{ending}.j2").render(text="<b> &") == expected


def test_pictures_stand_in_the_page(package: str) -> None:
    page = environment(package).get_template("pictures.html.j2").render(picture=b"<?xml?><svg>&amp;</svg>")
    data = "PD94bWw/Pjxzdmc+JmFtcDs8L3N2Zz4="
    assert page == f"<svg>&amp;</svg>\ndata:image/png;base64,{data}\ndata:image/svg+xml;base64,{data}\n"


def test_a_name_that_is_not_there_is_an_error(package: str) -> None:
    with pytest.raises(UndefinedError, match="text"):
        environment(package).get_template("page.html.j2").render(texts="x")
