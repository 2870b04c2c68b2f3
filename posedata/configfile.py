"""A YAML file in place of what is typed: read for a command, and written from what it was asked for.

Every value is taken as the text that stands there and goes through the type of its option, as if it had been typed. So
nothing is ever made of a file but text and lists, and `1e-4` or `on` are what they are on the command line.
"""

import re
from collections.abc import Iterable, Mapping, Set
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata.errors import BadInputError, ChoiceError, PoseDataError, bad_file
from posedata.formats.base import need_regular, read_text
from posedata.secrets import beginning, refuse_credentials

if TYPE_CHECKING:
    from yaml import Event, Node  # type: ignore[import-untyped]

MOST_BYTES = 1 << 16
"""Of a file: a hundred times what the options of a command fill."""

_STEERING = {"config", "show-config", "json", "quiet"}
"""Options that say where a configuration comes from, and how results are shown."""

_DEEPEST = 2
"""Keys, and a list or mapping at one."""

_KINDS = {"scalar": "text alone", "sequence": "a list", "mapping": "a mapping"}
"""What YAML calls them, in plain words."""

_NULL = "tag:yaml.org,2002:null"

_UNTYPED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
"""Line breaks, and characters that no path can have."""


def config_keys(command: click.Command) -> dict[str, click.Parameter]:
    """The keys of a command's files: options as they are typed, arguments by name."""
    named = {max(parameter.opts, key=len).lstrip("-"): parameter for parameter in command.params}
    return {key: parameter for key, parameter in named.items() if key not in _STEERING}


def read_config(path: Path, context: click.Context, lists: Set[str] = frozenset()) -> dict[str, Any]:
    """What a file asks of a command, for click's `default_map`: parameter -> text or list of texts, as if typed.

    Args:
        path: the file; a key without a value is as if it was not there.
        context: that of the command.
        lists: parameters of one text with commas, for which a list may stand in the file.

    Raises:
        BadInputError: if there is no such file or it is faulty; every fault of a value is told with its key.
    """
    known, found, faults = config_keys(context.command), dict[str, Any](), list[str]()
    for name, value in _read_pairs(path):
        key = name.replace("_", "-")
        try:
            parameter = _known(key, known)
            if parameter.name in found:
                raise ValueError("expected once, found twice")
            found[parameter.name] = None if value is None else _as_typed(value, parameter, lists)
            parameter.type_cast_value(context, found[parameter.name])
        except click.BadParameter as error:
            faults.append(f"{key}: {beginning(error.message.rstrip('.'), 300)}")
        except (ValueError, ChoiceError) as error:
            faults.append(f"{beginning(name, 80)}: {error}")
    if faults:
        raise bad_file(path, faults)
    return {name: value for name, value in found.items() if value is not None}


def config_of(command: click.Command, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a command's parameters under their keys, as text, numbers, lists and None."""
    return {key: _plain(values[parameter.name]) for key, parameter in config_keys(command).items()}


def to_yaml(config: Mapping[str, Any]) -> str:
    """A configuration as `read_config` reads it, a line a key."""
    import yaml

    text = yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True, default_flow_style=False, width=1e9)
    return str(text)


def of_file(error: PoseDataError, path: Path, context: click.Context) -> PoseDataError:
    """An error of options, told of the file where they stand.

    Args:
        error: a fault of it begins with the options that it is about, like `--k: ` or `learning_rate: `.
        path: the file.
        context: of the command, after the file was read for it.

    Returns:
        An error with as many faults; BadInputError if each is about options of the file alone.
    """
    there = click.core.ParameterSource.DEFAULT_MAP
    keys = {key for key, p in config_keys(context.command).items() if context.get_parameter_source(p.name) is there}
    told = [_of_file(fault, path, keys) for fault in error.faults]
    kind = type(error) if None in told else BadInputError
    return kind(*(new or old for new, old in zip(told, error.faults, strict=True)))


def _of_file(fault: str, path: Path, keys: Set[str]) -> str | None:
    """A fault with file and keys in place of options; None if it is about others too."""
    field, _, problem = fault.partition(": ")
    options = [option.partition(" ") for option in field.split(", ")]
    named = [(option.removeprefix("--").replace("_", "-"), *value) for option, *value in options]
    if any(key not in keys for key, *_ in named):
        return None
    return f"{path}: {', '.join(map(''.join, named))}: {problem}"


def _known(key: str, known: Mapping[str, click.Parameter]) -> click.Parameter:
    """The parameter of a key; raises ValueError if there is none."""
    if key in known:
        return known[key]
    near = get_close_matches(key, known, n=1)
    advice = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"expected one of {', '.join(known)}, found {beginning(key, 80)!r}{advice}")


def _as_typed(value: str | list[str], parameter: click.Parameter, lists: Set[str]) -> str | list[str]:
    """What the user would have typed; raises ValueError or ChoiceError if nobody may."""
    texts = [value] if isinstance(value, str) else value
    for text in texts:
        if _UNTYPED.search(text):
            raise ValueError(f"expected one line of text, found {beginning(text, 80)!r}")
    refuse_credentials(texts)
    if parameter.multiple:
        return texts
    if isinstance(value, str):
        return value
    if parameter.name in lists:
        return ",".join(texts)
    raise ValueError(f"expected one value, found a list of {len(texts)}")


def _plain(value: Any) -> Any:
    """A value as YAML and JSON have it."""
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value


def _read_pairs(path: Path) -> list[tuple[str, str | list[str] | None]]:
    """Keys of a YAML file, and what stands there; raises BadInputError if that is nothing which an option takes."""
    import yaml

    need_regular(path, MOST_BYTES)
    text = read_text(path)
    try:
        _refuse_odd(yaml.parse(text, Loader=yaml.SafeLoader))
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(root, yaml.MappingNode):
            raise ValueError(_KINDS[root.id] if root else "an empty file")
        return [(_text(key), _content(value)) for key, value in root.value]
    except yaml.MarkedYAMLError as error:
        raise _no_yaml(path, f"a fault in line {error.problem_mark.line + 1}: {error.problem}") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last: a character beyond the last one
        raise _no_yaml(path, str(error).partition("\n")[0]) from error


def _no_yaml(path: Path, found: str) -> BadInputError:
    return bad_file(path, [f"expected YAML with lines like `seed: 1`, found {found}"])


def _refuse_odd(events: "Iterable[Event]") -> None:
    """Raise ValueError at what no options need, and hostile files are made of."""
    from yaml import CollectionEndEvent, CollectionStartEvent

    depth = 0
    for event in events:
        line = event.start_mark.line + 1
        if getattr(event, "anchor", None) is not None or getattr(event, "tag", None) is not None:
            raise ValueError(f"an anchor, alias or tag in line {line}")
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"a list in a list in line {line}")


def _content(node: "Node") -> str | list[str] | None:
    """Text, None or a list; of a mapping, a list of NAME=VALUE."""
    if node.id == "scalar":
        return None if node.tag == _NULL else _text(node)
    if node.id == "sequence":
        return [_text(item) for item in node.value]
    return [f"{_text(name)}={_text(value)}" for name, value in node.value]


def _text(node: "Node") -> str:
    """The text of a scalar, as it stands there; raises ValueError if the node is none or empty."""
    if node.id != "scalar" or node.tag == _NULL:
        found = "nothing" if node.tag == _NULL else _KINDS[node.id]
        raise ValueError(f"{found} where text or a number belongs in line {node.start_mark.line + 1}")
    return str(node.value)
