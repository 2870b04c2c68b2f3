"""Keep credentials out of everything that is printed or kept."""

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from posedata.errors import ChoiceError

HIDDEN = "***"

# A user, or a user and a password that may hold anything but white space; not a host with its port.
_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:/{1,2})([^\s/@:]*:(?!\d{1,5}/)\S+@|[^\s/@]+@)")
# A query is where object stores put signatures; none of it is needed to know which file is meant.
_QUERY = re.compile(r"(?P<address>[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s?'\"]+)\?[^\s']+")
_SECRET = {"secret", "token", "password", "passwd", "credential", "credentials"}
_KEYS = re.compile(r"(access|api|private|secret)_?key", re.IGNORECASE)
_PLACES = ("_path", "_file", "_dir", "_url", "_uri")
_LEAST = 6
"""Characters: a shorter value of the environment would also hide common words."""

_LOOKED_AT = 4096
"""Characters of a text of which only the beginning is shown: of a megabyte, hiding takes long."""


def redact(text: str) -> str:
    """The text without user names and passwords in URLs, queries of URLs, and secrets of the environment."""
    for secret in _environment():
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _QUERY.sub(rf"\g<address>?{HIDDEN}", text)


def beginning(text: str, most: int) -> str:
    """The first characters of a text, redacted before they are cut: half a secret could not be told from other text."""
    return redact(text[:_LOOKED_AT])[:most]


def redact_values(value: Any) -> Any:
    """What is to become JSON, with the text in it redacted; keys and numbers stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {key: redact_values(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact_values(inner) for inner in value]
    return value


def refuse_credentials(arguments: Iterable[str]) -> None:
    """Raise ChoiceError if an argument is a URL with a user or a password: shells and process lists would keep it."""
    for argument in arguments:
        if _USER_INFO.search(argument):
            raise ChoiceError(
                f"{redact(argument)}: expected a URL without user and password, found one with them; put credentials "
                "into the environment or the service's own configuration"
            )


def check_url(url: str) -> None:
    """Raise ChoiceError if a URL of a collection or of something in it has secrets or a query, or is none."""
    refuse_credentials([url])
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ChoiceError(f"{redact(url)}: expected a URL, found {error}") from error
    if "://" in url and (parts.query or parts.fragment):
        raise ChoiceError(f"{redact(url)}: expected a URL without a query: every file has a name of its own")


def _environment() -> list[str]:
    """Values of variables whose names tell that they are secret, the longest first."""
    found = {value for name, value in os.environ.items() if _is_secret(name) and len(value) >= _LEAST}
    return sorted((value for value in found if not value.isdecimal()), key=lambda value: (-len(value), value))


def _is_secret(name: str) -> bool:
    words = name.lower()
    return not words.endswith(_PLACES) and (bool(_SECRET & set(words.split("_"))) or bool(_KEYS.search(words)))
