"""Templates of pages that need nothing beside them."""

import base64

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup


def environment(package: str) -> Environment:
    """The templates of a package; what is put into HTML is escaped, and a name that is not there is an error.

    Two filters put pictures into pages: `svg` a figure as the element that it is, `embedded` any file as an address.
    """
    templates = Environment(
        loader=PackageLoader(package),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"svg": _svg, "embedded": _embedded}
    return templates


def _svg(figure: bytes) -> Markup:
    text = figure.decode()
    return Markup(text[text.index("<svg") :])  # noqa: S704 our own SVG


def _embedded(file: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(file).decode()}"
