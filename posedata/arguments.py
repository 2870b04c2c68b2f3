"""What users type: parameters of kinds of our own, and the options that commands share."""

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from posedata.errors import BadInputError, ChoiceError

FOLDER: click.Path = click.Path(path_type=Path)
"""A path on the command line."""


class _Place(click.ParamType["Path | str"]):
    """A path, or a URL, which a path would garble."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        del param, ctx
        return str(value) if "://" in str(value) else Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Stores of the data home by their names; where none begins like that, paths."""
        from posedata.home import stores_in_home

        del ctx, param
        names = sorted(path.stem for path in stores_in_home() if path.stem.startswith(incomplete))
        return [CompletionItem(incomplete, type="file"), *map(CompletionItem, names)]


STORE = _Place()
"""A store on the command line: its path, its name in the data home, or a URL COLLECTION/NAME."""


class _NewStore(click.Path):
    """A path for a new store."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Not the bare name of a store in the data home: commands would find the new one by it from here alone."""
        from posedata.home import data_home

        path = Path(str(super().convert(value, param, ctx)))
        stored = data_home() / "stores" / f"{path}.zarr"
        if os.sep not in str(value) and stored.exists() and not path.exists():
            raise ChoiceError(
                f"{path}: expected a path, or a name that no store in {stored.parent} has, found {stored}; "
                f"give {path}.zarr, or {stored} to replace it"
            )
        return path


NEW_STORE = _NewStore(path_type=Path)
"""Where a new store goes."""


class _DatasetName(click.ParamType[str]):
    """A dataset; `-` passes for `_`.

    Args:
        others: whether those count that give other stores than temporal heatmaps.
        more: what else is taken for one.
    """

    name = "dataset"

    def __init__(self, others: bool, more: tuple[str, ...] = ()) -> None:
        self._others = others
        self._more = more

    def _known(self) -> list[str]:
        from posedata.families import OTHERS
        from posedata.formats import FORMATS

        return sorted([*FORMATS, *OTHERS, *self._more]) if self._others else [*FORMATS]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        name = str(value).lower().replace("-", "_")
        if name not in self._known():
            self.fail(f"{value!r}: expected one of {', '.join(self._known())}", param, ctx)
        return name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names."""
        del ctx, param
        return [CompletionItem(name) for name in self._known() if name.startswith(incomplete)]


DATASET = _DatasetName(others=False)
"""The name of a raw format on the command line."""

ANY_DATASET = _DatasetName(others=True)
"""Likewise, or of a dataset that gives other stores than temporal heatmaps."""

FILM = "film"
"""A sample that is no dataset: it is what a detector makes one of."""

SAMPLE = _DatasetName(others=True, more=(FILM,))
"""Likewise, or a sample that is no dataset."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def output_options(command: _Command) -> _Command:
    """The options --json and --quiet, passed as `as_json` and `quiet`."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    quiet = click.option("--quiet", "-q", is_flag=True, help="Print results only: no progress, no remarks.")
    return as_json(quiet(command))


def config_options(*lists: str) -> Callable[[_Command], _Command]:
    """The options --config and --show-config, the second passed as `show_config`; what a file says counts as typed.

    Args:
        lists: parameters of one text with commas, for which a list may stand in the file.
    """

    def read(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
        from posedata.configfile import read_config

        if path and not context.resilient_parsing:
            context.default_map = read_config(path, context, set(lists))
        return path

    def add(command: _Command) -> _Command:
        @wraps(command)
        def configured(*args: Any, config: Path | None, **options: Any) -> Any:
            try:
                return command(*args, **options)
            except (BadInputError, ChoiceError) as error:
                from posedata.configfile import of_file

                if not config:
                    raise
                raise of_file(error, config, click.get_current_context()) from error

        words = "YAML of options; typed ones win."
        file = click.option("--config", type=FOLDER, is_eager=True, callback=read, metavar="FILE", help=words)
        show = click.option("--show-config", is_flag=True, help="Print all options, as --config takes them, and end.")
        return cast(_Command, file(show(configured)))

    return add


def given_options(context: click.Context) -> set[str]:
    """Names of the parameters that the user typed, or gave in a config file."""
    return {
        name for name in context.params if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
