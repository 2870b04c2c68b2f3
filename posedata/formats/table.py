"""The table of raw formats: posedata's own, and those that other packages bring.

A package brings one by an entry point of the group `posedata.formats`: its name is the dataset's, its object a `Format`
of that name. A name must mean one format, or a recipe would make another store elsewhere. So a name that posedata and a
package claim, or two packages, is refused, and a format that cannot be loaded likewise: in one error, for whoever asks
for that name. All other names work as if the package was not there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from posedata.errors import ChoiceError
from posedata.formats.base import RawDataset

GROUP = "posedata.formats"

_NAME = re.compile(r"[a-z][a-z0-9_]*")

_LOADING_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What importing somebody's module may raise."""


@dataclass(frozen=True)
class Format:
    """A raw format.

    Attributes:
        name: as in `--dataset`: small letters, digits and underscores.
        open: opens a raw tree; raises BadInputError if the tree has not the layout.
        actions: the words its annotations use for actions; empty = none.
        detector: whether its input heatmaps come from a detector rather than from noise.
        licence: who may use the data.
        source: where its authors publish it, and what to put where.
        package: name and version of the package that brings it; the table fills it in. Empty = posedata itself.
    """

    name: str
    open: Callable[[Path], RawDataset]
    actions: tuple[str, ...]
    detector: bool
    licence: str
    source: str
    package: str = ""


class FormatTable(Mapping[str, Format]):
    """Name -> format. Other packages are looked for once, when it is first used, and loaded when they are asked for.

    Raises:
        ChoiceError: where a name is asked for that two claim, or whose format cannot be loaded.
    """

    def __init__(self, own: Iterable[Format]) -> None:
        self._own = {entry.name: entry for entry in own}

    @cached_property
    def _foreign(self) -> dict[str, list[EntryPoint]]:
        """Name -> who claims it."""
        found: dict[str, list[EntryPoint]] = {}
        for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
            found.setdefault(entry.name.lower().replace("-", "_"), []).append(entry)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._foreign

    def __iter__(self) -> Iterator[str]:
        return iter(self._own | self._foreign)

    def __len__(self) -> int:
        return len(self._own | self._foreign)

    def __getitem__(self, name: str) -> Format:
        claims = self._foreign.get(name, [])
        claimants = [*(["posedata itself"] if name in self._own else []), *map(_package, claims)]
        if len(claimants) > 1:
            raise ChoiceError(
                f"dataset {name}: expected one format of that name, found those of {' and '.join(claimants)}; "
                "uninstall one, or ask its authors for another name"
            )
        return _loaded(name, claims[0]) if claims else self._own[name]


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package without a name"


def _loaded(name: str, entry: EntryPoint) -> Format:
    """The format of another package."""
    who = f"dataset {name}: expected {entry.value} of {_package(entry)} to be a posedata.formats.Format"
    try:
        found = entry.load()
    except _LOADING_FAULTS as error:
        reason = " ".join(str(error).split())
        raise ChoiceError(f"{who}, found {type(error).__name__}: {reason}; update it, or uninstall it") from error
    if not isinstance(found, Format):
        raise ChoiceError(f"{who}, found {type(found).__name__}; update it, or uninstall it")
    if found.name != name or not _NAME.fullmatch(name):
        raise ChoiceError(
            f"{who} named {name!r} in small letters, digits and underscores, found {found.name!r}; update it, or "
            "uninstall it"
        )
    return replace(found, package=_package(entry))
