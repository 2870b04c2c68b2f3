"""What a shard's bytes depend on besides recipe and data: the code, and the libraries that make the numbers."""

from functools import cache
from importlib.metadata import version
from pathlib import Path

from posedata import __version__
from posedata.config import json_digest
from posedata.files import sha256_file

_LIBRARIES = ("numcodecs", "numpy", "scipy")


@cache
def versions() -> dict[str, str]:
    """Of the package, with the beginning of a sha256 of its code, and of those libraries."""
    package = Path(__file__).parent
    code = {path.relative_to(package).as_posix(): sha256_file(path) for path in package.rglob("*.py")}
    own = f"{__version__} (code {json_digest(code)[:16]})"
    return {"posedata": own, **{name: version(name) for name in _LIBRARIES}}
