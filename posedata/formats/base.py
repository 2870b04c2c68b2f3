"""What every raw format offers, and the checks that they share."""

import csv
import json
import lzma
import math
import re
import tokenize
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from io import BytesIO, StringIO
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from posedata.errors import BadInputError, bad_file
from posedata.isolated.child import MOST_BYTES
from posedata.poses import PoseSequence, name_order
from posedata.secrets import beginning

SYNTHETIC_MARK = "SYNTHETIC.txt"
"""A raw tree with this file holds nobody's motion; stores made from it say so."""

MOST_FILE = 1 << 26
"""Bytes of a file that is read whole: ten times the longest real one. Parsed as JSON, it takes some ten times that."""

_MOST_HEADER = 10_000
"""Bytes: numpy's own limit."""

NPZ_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    TypeError,
    tokenize.TokenError,  # a header that numpy takes for one of Python 2, and does not end
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What reading a damaged .npz raises."""


_SAMPLE_COMMAND = re.compile(r"`(posedata sample \w+(?: --\w+ [\w.-]+)+)`")


class RawDataset(Protocol):
    """An opened raw tree."""

    @property
    def root(self) -> Path:
        """The folder that source paths are relative to, and in which the mark of a synthetic tree would lie."""

    @property
    def licence(self) -> str:
        """Who may use the data."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful person should know of the tree, a sentence each."""

    def close(self) -> None:
        """End a `read` that another thread waits for."""

    def tables(self) -> list[Path]:
        """The files that are there for all sequences together."""

    def items(self) -> list[str]:
        """Names of the sequences, by `name_order`; one raw file each. Those that cannot be read are among them."""

    def files(self, item: str) -> list[Path]:
        """The files that make up a sequence."""

    def read(self, item: str) -> PoseSequence:
        """The checked sequence; raises BadInputError with every fault of its file."""


def sample_command(root: Path) -> str | None:
    """The command that made a synthetic tree, as its mark tells."""
    with (root / SYNTHETIC_MARK).open("rb") as file:
        found = _SAMPLE_COMMAND.search(file.read(1000).decode("utf-8", "replace"))
    return found[1] if found else None


def need_folder(root: Path, name: str, source: str) -> Path:
    """The folder `root/name`.

    Raises:
        BadInputError: if it is not there; the message tells where the data comes from.
    """
    folder = root / name
    if not folder.is_dir():
        raise BadInputError(f"{folder}: expected a folder of raw data, found none; {source}")
    return folder


def need_items(items: Iterable[str], folder: Path, pattern: str) -> list[str]:
    """The items, sorted; raises BadInputError if there are none."""
    found = sorted(items, key=name_order)
    if not found:
        raise BadInputError(f"{folder}: expected files like {pattern}, found none")
    return found


def need_regular(path: Path, most: int | None = None) -> None:
    """Raise BadInputError if what is at `path` is no regular file, or larger than `most` bytes: it may never end."""
    if not path.exists():
        return  # whoever reads it will say so
    if not path.is_file():
        raise bad_file(path, ["expected a regular file, found something else"])
    if most is not None and path.stat().st_size > most:
        raise bad_file(path, [f"expected a file of at most {most:,} bytes, found {path.stat().st_size:,}"])


def read_text(path: Path, most: int = MOST_FILE) -> str:
    """A UTF-8 file; raises BadInputError if it cannot be read as one, or has more than `most` bytes."""
    try:
        need_regular(path, most)
        return path.read_text(encoding="utf-8").removeprefix("\ufeff")  # with which programs of Windows begin
    except UnicodeDecodeError as error:
        found = f"another byte at {error.start:,}"
        raise bad_file(path, [f"expected a UTF-8 file, found {found}; save it as UTF-8"]) from error
    except OSError as error:
        raise bad_file(path, [f"expected a readable UTF-8 file, found {type(error).__name__}"]) from error


def read_json_object(path: Path, most: int = MOST_FILE, dropped: str | None = None) -> dict[str, Any]:
    """A JSON file that holds one object; arguments and faults as of `read_json`, and BadInputError if it does not."""
    parsed = read_json(path, most, dropped)
    if not isinstance(parsed, dict):
        raise bad_file(path, [f"expected a JSON object, found {type(parsed).__name__}"])
    return parsed


def read_json(path: Path, most: int = MOST_FILE, dropped: str | None = None) -> Any:
    """A JSON file.

    Args:
        path: the file.
        most: bytes that it may have.
        dropped: a key that is left out wherever it stands, while the file is parsed: its values need no memory.

    Raises:
        BadInputError: if it is none, is larger, or a key stands in an object twice.
    """

    def made(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = unique_keys(pairs)
        unique.pop(str(dropped), None)
        return unique

    try:
        return json.loads(read_text(path, most), object_pairs_hook=made if dropped else unique_keys)
    except (ValueError, RecursionError) as error:
        raise bad_file(path, [f"expected JSON with unique keys, found {error}"]) from error


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a JSON file, as a hook of its parser; raises ValueError if a key stands in it twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"key {twice!r} twice")
    return made


def read_rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """Rows of a CSV file with a header; raises BadInputError if it lacks one of the columns."""
    try:
        reader = csv.DictReader(StringIO(read_text(path)))
        names = reader.fieldnames or ()
        missing = [c for c in columns if c not in names]
        if missing:
            found = beginning(", ".join(names), 80) or "nothing"
            raise bad_file(path, [f"header: expected the columns {', '.join(missing)}, found {found}"])
        if len(set(names)) < len(names):
            raise bad_file(path, [f"header: expected each column once, found {', '.join(names):.80}"])
        yield from reader
    except csv.Error as error:
        raise bad_file(path, [f"expected a CSV file, found {error}"]) from error


def number(path: Path, row: Mapping[str, str], column: str) -> float:
    """A finite number in a row of a CSV file; raises BadInputError if it is none."""
    try:
        found = float(row[column])
    except (TypeError, ValueError):
        found = math.nan
    if not math.isfinite(found):
        raise bad_file(path, [f"{column}: expected a number, found {row[column]!r}"])
    return found


def read_npz(path: Path, *names: str) -> list[NDArray[np.generic]]:
    """Arrays of an .npz file, without pickle.

    Raises:
        BadInputError: if the file is damaged or lacks one of the arrays.
    """
    need_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [name for name in names if f"{name}.npy" not in archive.namelist()]
            if missing:
                raise bad_file(path, [f"{name}: expected an array, found none" for name in missing])
            return [_read_member(archive, name) for name in names]
    except NPZ_FAULTS as error:
        raise bad_file(
            path, [f"{' and '.join(names)}: expected in an .npz file without pickles, found {error}"]
        ) from error


def npz_names(path: Path) -> list[str]:
    """Names of the arrays of an .npz file; raises BadInputError if it is none."""
    need_regular(path)
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except NPZ_FAULTS as error:
        raise bad_file(path, [f"expected an .npz file, found {error}"]) from error


def read_npy_header(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Shape, whether in Fortran order, and dtype; leaves `member` at the first value."""
    start = member.read(npy.MAGIC_LEN)
    version = npy.read_magic(BytesIO(start))
    length = member.read(2 if version == (1, 0) else 4)
    if int.from_bytes(length, "little") > _MOST_HEADER:
        raise ValueError("a header that is too large to be meant")
    return _parsed_header(version, length + member.read(int.from_bytes(length, "little")))


@lru_cache(maxsize=256)
def _parsed_header(version: tuple[int, int], header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Cached, for thousands of files have the same one, and numpy takes longer over it than over the values."""
    parse = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    with warnings.catch_warnings(action="ignore"):  # that Python 2 wrote it is of no interest to the user
        return parse(BytesIO(header))


def to_floats(values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Numbers as float64, in silence: signalling NaN become quiet, what is too large infinite; both are told later."""
    with np.errstate(invalid="ignore", over="ignore"):
        return values.astype(np.float64)


def floats(numbers: Sequence[float]) -> NDArray[np.float64]:
    """Numbers of a JSON file as float64; integers too large for one become infinite, and so not annotated."""
    try:
        return np.asarray(numbers, np.float64)
    except OverflowError:
        return np.asarray([_float(n) for n in numbers])


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _read_member(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    with archive.open(f"{name}.npy") as member:
        shape, fortran, dtype = read_npy_header(member)
        if dtype.hasobject:
            raise ValueError(f"{name}: a pickle")
        count = math.prod(shape)
        if not 0 <= count * dtype.itemsize <= MOST_BYTES:
            raise ValueError(f"{name}: {dtype} {shape}, which is too large to be meant")
        values = np.frombuffer(member.read(count * dtype.itemsize), dtype, count)
        if member.read(1):  # at the end of a member zipfile compares its checksum
            raise ValueError(f"{name}: more bytes than {dtype} {shape} has")
    return values.reshape(shape, order="F" if fortran else "C")
