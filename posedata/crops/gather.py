"""The first pass over a raw tree: read and check everything once, find the square of every person, measure colours."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.ahead import in_order
from posedata.crops.annotations import Image, Person, read_annotations
from posedata.crops.geometry import Square, crop_square, to_grid
from posedata.crops.images import cut, read_image
from posedata.crops.tree import ImageSet, find_sets, found_beside
from posedata.errors import BadInputError
from posedata.family import Published
from posedata.files import sha256_file
from posedata.formats.base import SYNTHETIC_MARK, sample_command
from posedata.manifest import SOURCES_NAME, Skipped, told
from posedata.progress import Progress

OUTSIDE = "people without a labelled keypoint in their crop"
"""Why a person is left out whose image is too small for a square around all of them."""

_MOST_IDS = 20
"""Annotations that a line names."""


class Figure(NamedTuple):
    """A person with the square that shows them.

    Attributes:
        person: as annotated.
        square: in the image.
        points: (17, 2) on the grid, NaN = not labelled, or outside the square.
        visibility: (17,) 0 where `points` is NaN.
        colours: (3,) sums of R, G and B over the pixels of the crop.
    """

    person: Person
    square: Square
    points: NDArray[np.float64]
    visibility: NDArray[np.uint8]
    colours: NDArray[np.int64]


class Picture(NamedTuple):
    """An image with the people whose crops the store holds."""

    image: Image
    of: ImageSet
    sha256: str
    figures: tuple[Figure, ...]

    @property
    def path(self) -> Path:
        """The file."""
        return self.of.images / self.image.name


@dataclass
class Found:
    """All that the first pass found.

    Attributes:
        root: the raw tree.
        sources: a CSV file with every raw file used: dataset, path below the raw tree, sha256.
        pictures: those with at least one figure, in the order of the store.
        left_out: why -> how many annotations.
        outside: labelled keypoints of figures that lie outside their square.
        skipped: what was left out, in words.
        synthetic: whether the tree says so.
        sample: the command that made a synthetic tree.
    """

    root: Path
    sources: Path
    pictures: list[Picture] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    outside: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    synthetic: bool = False
    sample: str | None = None


def gather(dataset: Published, root: Path, scratch: Path, workers: int, skip_bad: bool, progress: Progress) -> Found:
    """Read a raw tree.

    Args:
        dataset: whose it is.
        root: the tree.
        scratch: an empty folder.
        workers: threads that decode images.
        skip_bad: go on after a bad annotation or image, and list it.
        progress: told of the images.

    Raises:
        BadInputError: for what is bad, unless `skip_bad`; if nothing good is left.
    """
    found = Found(root, scratch / SOURCES_NAME)
    if (root / SYNTHETIC_MARK).is_file():
        found.synthetic, found.sample = True, sample_command(root)
    with found.sources.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("dataset", "path", "sha256"))
        for each in find_sets(root, dataset.source):
            rows.writerow((dataset.name, each.annotations.relative_to(root).as_posix(), sha256_file(each.annotations)))
            for picture in _pictures(found, dataset.name, each, workers, skip_bad, progress):
                rows.writerow((dataset.name, picture.path.relative_to(root).as_posix(), picture.sha256))
                found.pictures.append(picture)
    if not found.pictures:
        raise BadInputError(f"{root}: expected at least one person with labelled keypoints, found none")
    return found


def _pictures(
    found: Found, dataset: str, of: ImageSet, workers: int, skip_bad: bool, progress: Progress
) -> Iterator[Picture]:
    """The pictures of a set by id; what is left out is noted."""
    known = read_annotations(of.annotations, skip_bad)
    of = found_beside(of, (image.name for image in known.images.values()))
    found.skipped += [Skipped(item=f"{dataset}/{of.name}", reason=told(found.root, fault)) for fault in known.faults]
    people = sorted(known.people, key=lambda person: (person.image, person.key))
    jobs = [(known.images[key], list(group)) for key, group in groupby(people, key=lambda person: person.image)]
    left_out = dict(known.left_out)
    with progress(f"reading {of.name}", len(jobs), "images") as advance:
        for read in in_order(partial(_read, of), jobs, workers):
            advance(1)
            if isinstance(read, BadInputError):
                if not skip_bad:
                    raise read
                reason = "; ".join(told(found.root, fault) for fault in read.faults)
                found.skipped.append(Skipped(item=f"{dataset}/{of.name}", reason=reason))
                continue
            lost = [f.person.key for f in read.figures if not f.visibility.any()]
            left_out.setdefault(OUTSIDE, []).extend(lost)
            kept = tuple(f for f in read.figures if f.visibility.any())
            found.outside += sum(int(((f.person.visibility > 0) & (f.visibility == 0)).sum()) for f in kept)
            if kept:
                yield read._replace(figures=kept)
    for reason, keys in left_out.items():
        if keys:
            found.left_out[reason] += len(keys)
            found.skipped.append(Skipped(item=f"{dataset}/{of.name}", reason=f"{len(keys):,} {reason}: {_some(keys)}"))


def _read(of: ImageSet, job: tuple[Image, list[Person]]) -> Picture | BadInputError:
    """An image with its people, or what is wrong with its file."""
    image, people = job
    try:
        photograph = read_image(of.images / image.name, image)
    except BadInputError as error:
        return error
    return Picture(image, of, photograph.sha256, tuple(_figure(image, photograph.pixels, person) for person in people))


def _figure(image: Image, pixels: NDArray[np.uint8], person: Person) -> Figure:
    labelled = person.visibility > 0
    square = crop_square(person.box, person.points[labelled], image.width, image.height)
    points = to_grid(person.points, square)
    visibility = np.where(np.isnan(points[:, 0]), 0, person.visibility).astype(np.uint8)
    return Figure(person, square, points, visibility, cut(pixels, square).sum(axis=(0, 1), dtype=np.int64))


def _some(keys: Iterable[int]) -> str:
    """The first ids, and how many more there are."""
    rising = sorted(keys)
    more = len(rising) - _MOST_IDS
    first = ", ".join(map(str, rising[:_MOST_IDS]))
    return f"{first} and {more:,} more" if more > 0 else first
