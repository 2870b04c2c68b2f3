"""Keep credentials out of everything that is printed or kept."""

import os
import re
from collections.abc import Iterable

from posedata.errors import ChoiceError

HIDDEN = "***"

_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*:/{1,2})[^\s/@'\"]+@")
# A query is where object stores put signatures; none of it is needed to know which file is meant.
_QUERY = re.compile(r"(?P<address>[A-Za-z][A-Za-z0-9+.-]*:/{1,2}[^\s?'\"]+)\?[^\s'\"]+")
_TELLING = re.compile(r"(SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL|ACCESS_KEY|API_KEY|PRIVATE_KEY)", re.IGNORECASE)
_LEAST = 6
"""Characters: a shorter value of the environment would also hide common words."""


def redact(text: str) -> str:
    """The text without user names and passwords in URLs, queries of URLs, and secrets of the environment."""
    for secret in _environment():
        text = text.replace(secret, HIDDEN)
    text = _USER_INFO.sub(rf"\g<scheme>{HIDDEN}@", text)
    return _QUERY.sub(rf"\g<address>?{HIDDEN}", text)


def refuse_credentials(arguments: Iterable[str]) -> None:
    """Raise ChoiceError if an argument is a URL with a user or a password: shells and process lists would keep it."""
    for argument in arguments:
        if _USER_INFO.search(argument):
            raise ChoiceError(
                f"{redact(argument)}: expected a URL without user and password, found one with them; put credentials "
                "into the environment or the service's own configuration"
            )


def _environment() -> list[str]:
    """Values of variables whose names tell that they are secret, the longest first."""
    found = {value for name, value in os.environ.items() if _TELLING.search(name) and len(value) >= _LEAST}
    return sorted(found, key=lambda value: (-len(value), value))
