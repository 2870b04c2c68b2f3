"""Dataset manifests: one small JSON file says what a published dataset is, how it is rebuilt, and where it lies.

A store's own `manifest.json` lists its files; this one names it to people, and fits into a version control system.
`docs/dataset-manifest.schema.json` is its JSON schema.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from posedata.config import Frozen, faults, json_digest, option_faults
from posedata.errors import BadInputError, ChoiceError
from posedata.families import source_of
from posedata.files import sha256_file
from posedata.manifest import MANIFEST_NAME, SOURCES_NAME, Manifest, Sha256, StoreFile
from posedata.secrets import check_url, redact

if TYPE_CHECKING:
    from posedata.store.opened import Opened

RecipeOf = TypeVar("RecipeOf", bound=Frozen)
Count = Annotated[int, Field(ge=0)]
ManifestSize = Annotated[int, Field(ge=0, le=1 << 30)]
"""Bytes, which are read at once; manifests of stores have a few megabytes."""

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._+,-]{0,150}$"
Name = Annotated[str, Field(pattern=_NAME)]
"""Of what is published: part of file names and addresses everywhere."""


def need_name(name: str) -> str:
    """A name that may be published; raises ChoiceError if it may not."""
    if not re.fullmatch(_NAME, name):
        letters = "at most 151 of a-z, A-Z, 0-9 and . _ + , -, the first a letter or digit"
        raise ChoiceError(f"{name}: expected a name that can be published, {letters}; give another with --name")
    return name


def _with_frames(counts: dict[str, Any]) -> dict[str, Any]:
    if type(counts.get("frames")) is not int:
        raise ValueError("expected the number of frames among them")
    return counts


def _without_secrets(url: str) -> str:
    """Manifests lie in repositories: no user, password or signature may get into one."""
    try:
        check_url(url)
    except ChoiceError as error:
        raise ValueError(str(error)) from error
    return redact(url)


class Source(Frozen):
    """The raw data of one dataset.

    Attributes:
        dataset: its name, as in `--dataset`.
        licence: who may use it.
        address: where its authors publish it, and what to put where.
        files: how many were read; None = not built yet.
        sha256: of its lines in the store's sources.csv, which hold the hash of every file; None = not built yet.
        sample: the command that makes it, where it is synthetic.
    """

    dataset: str
    licence: str
    address: str
    files: Count | None = None
    sha256: Sha256 | None = None
    sample: str | None = None


class Built(Frozen):
    """What was built from the recipe.

    Attributes:
        counts: frames, sequences, windows and more, as `posedata info` shows them.
        content_digest: of the store: the same for every build of this recipe from these sources.
        files_digest: sha256 of the canonical JSON of the store's list of files.
        manifest_sha256: of the store's manifest.json: proves every byte of the store.
        manifest_size: of it.
        files: how many, without manifest.json.
        bytes: of all files.
    """

    counts: Annotated[dict[str, Any], AfterValidator(_with_frames)]
    content_digest: Sha256
    files_digest: Sha256
    manifest_sha256: Sha256
    manifest_size: ManifestSize
    files: Count
    bytes: Count

    @property
    def manifest_file(self) -> StoreFile:
        """The store's manifest.json as a file to fetch."""
        return StoreFile(path=MANIFEST_NAME, size=self.manifest_size, sha256=self.manifest_sha256)


class Dataset(Frozen):
    """One published dataset.

    Attributes:
        dataset_version: of this layout.
        name: of the dataset.
        version: of the dataset, as its team counts.
        recipe: all that was asked for, resolved: what `posedata build --recipe` takes; for a store made from other
            stores, how it was made.
        sources: the raw data, a dataset each.
        built: counts and digests; None = not built yet.
        locations: URLs of collections that hold it.
    """

    dataset_version: Literal[1] = 1
    name: Name
    version: Annotated[str, Field(min_length=1, max_length=50)] = "1"
    recipe: dict[str, Any]
    sources: Annotated[tuple[Source, ...], Field(strict=False)]
    built: Built | None = None
    locations: Annotated[tuple[Annotated[str, AfterValidator(_without_secrets)], ...], Field(strict=False)] = ()

    @property
    def samples(self) -> dict[str, str]:
        """The commands that make the raw data that are synthetic, by dataset."""
        return {source.dataset: source.sample for source in self.sources if source.sample}

    def to_json(self) -> bytes:
        """The text of the file."""
        return json.dumps(self.model_dump(mode="json"), indent=1).encode() + b"\n"


def json_schema() -> bytes:
    """The JSON schema of dataset manifests, as text."""
    return json.dumps(Dataset.model_json_schema(), indent=1).encode() + b"\n"


def parse_dataset(content: bytes, where: str) -> Dataset:
    """A dataset manifest from its text.

    Raises:
        BadInputError: if it is none; every fault is listed.
    """
    try:
        return Dataset.model_validate_json(content)
    except ValidationError as error:
        raise BadInputError(*(f"{where}: expected a dataset manifest: {fault}" for fault in faults(error))) from error


def buildable(dataset: Dataset, where: str, model: type[RecipeOf]) -> RecipeOf:
    """The recipe of a dataset that is built from raw data.

    Args:
        dataset: what was published.
        where: its manifest is, for errors.
        model: what such recipes are.

    Raises:
        BadInputError: if it was made from other stores, or the recipe does not fit.
    """
    if "parents" in dataset.recipe:
        raise BadInputError(f"{where}: expected a recipe from raw data, found one from other stores; pull it instead")
    try:
        return model.model_validate(dataset.recipe)
    except ValidationError as error:
        raise BadInputError(*(f"{where}: recipe.{fault}" for fault in faults(error))) from error


def need_built(dataset: Dataset, where: str) -> Built:
    """What was built; raises BadInputError if nothing was."""
    if dataset.built is None:
        raise BadInputError(
            f"{where}: expected a dataset that was built, found a recipe alone; run posedata build --recipe {where}"
        )
    return dataset.built


def describe(store: "Opened", name: str, version: str = "1", locations: tuple[str, ...] = ()) -> Dataset:
    """The dataset manifest of a store.

    Args:
        store: what is described.
        name: of the dataset.
        version: of the dataset.
        locations: URLs of collections that hold it.

    Raises:
        ChoiceError: if name or version do not do.
        IntegrityError: if its list of raw files is not what its manifest says.
        RemoteError: if the store is a mirror, and that does not come.
    """
    manifest, path = store.manifest, store.path / MANIFEST_NAME
    summary = manifest.summary
    built = Built(
        counts=summary["counts"],
        content_digest=manifest.content_digest,
        files_digest=files_digest(manifest),
        manifest_sha256=sha256_file(path),
        manifest_size=path.stat().st_size,
        files=len(manifest.files),
        bytes=sum(file.size for file in manifest.files) + path.stat().st_size,
    )
    lines = _source_lines(store.file(SOURCES_NAME))
    sources = tuple(
        Source(
            dataset=source,
            licence=licence,
            address=source_of(source),
            files=len(lines[source]),
            sha256=json_digest(lines[source]),
            sample=summary["samples"].get(source),
        )
        for source, licence in summary["licences"].items()
    )
    try:
        return Dataset(
            name=need_name(name),
            version=version,
            recipe=summary["recipe"],
            sources=sources,
            built=built,
            locations=locations,
        )
    except ValidationError as error:
        raise ChoiceError(*option_faults(error)) from error


def files_digest(manifest: Manifest) -> str:
    """Hex sha256 of the list of a store's files: equal only if every byte is."""
    return json_digest([file.model_dump() for file in manifest.files])


def compare_rebuilt(store: "Opened", expected: Dataset) -> list[str] | None:
    """What keeps a rebuilt store from being the dataset; empty if it is, None if nobody has built that yet."""
    return differences(expected, describe(store, expected.name))


def differences(expected: Dataset, found: Dataset) -> list[str] | None:
    """What keeps two builds of a dataset from having the same content; empty if it is the same, None if one is unbuilt.

    The digest of the files may differ all the same: another version of the compressor writes other bytes.
    """
    if expected.built is None or found.built is None:
        return None
    if expected.built.content_digest == found.built.content_digest:
        return []
    told = [f"recipe: {text}" for text in _differing(expected.recipe, found.recipe)]
    ours = {source.dataset: source for source in found.sources}
    for source in expected.sources:
        other = ours.get(source.dataset)
        if other is None or source.sha256 != other.sha256:
            files = "none" if other is None else f"{other.files} with other content"
            told.append(f"raw data of {source.dataset}: expected {source.files} files, found {files}")
    told += [f"counts: {text}" for text in _differing(expected.built.counts, found.built.counts)]
    digests = f"expected {expected.built.content_digest}, found {found.built.content_digest}"
    return [*told, f"content digest: {digests}"]


def _differing(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            yield f"{key}: expected {json.dumps(expected.get(key))}, found {json.dumps(found.get(key))}"


def _source_lines(path: Path) -> dict[str, list[list[str]]]:
    """Dataset -> its lines in sources.csv."""
    lines: dict[str, list[list[str]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        for row in csv.reader(file):
            lines[row[0]].append(row)
    return lines
