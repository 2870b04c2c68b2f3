"""Where images and annotations lie in a raw tree of COCO's layout.

    annotations/person_keypoints_train2017.json   train2017/*.jpg
    annotations/person_keypoints_val2017.json     val2017/*.jpg

or any one annotation file, NAME.json, in the root, with its images beside it, or else in the one folder beside it;
hidden folders do not count.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from posedata.errors import BadInputError
from posedata.manifest import printed

_PREFIX = "person_keypoints_"


class ImageSet(NamedTuple):
    """An annotation file and its images.

    Attributes:
        name: as in train2017.
        annotations: the file.
        images: the folder.
        validates: whether its people validate; those of all others train and test.
    """

    name: str
    annotations: Path
    images: Path
    validates: bool


def find_sets(root: Path, source: str) -> list[ImageSet]:
    """The sets of a raw tree, those that train first, then by name.

    Raises:
        BadInputError: if the tree has neither layout (`source` tells where the data comes from), or a name in it is not
            UTF-8.
    """
    sets = _sets(root, source)
    paths = [path for each in sets for path in (each.annotations, each.images) if path != root]
    strange = [printed(str(path)) for path in paths if printed(path.name) != path.name]
    if strange:
        raise BadInputError(*(f"{path}: name: expected UTF-8; rename it" for path in strange))
    return sets


def _sets(root: Path, source: str) -> list[ImageSet]:
    files = sorted((root / "annotations").glob(f"{_PREFIX}*.json"))
    if files:
        names = [file.stem.removeprefix(_PREFIX) for file in files]
        sets = [
            ImageSet(name, file, root / name, name.startswith("val")) for name, file in zip(names, files, strict=True)
        ]
        return sorted(sets, key=lambda each: (each.validates, each.name))
    alone = sorted(root.glob("*.json"))
    if len(alone) != 1:
        found = ", ".join(path.name for path in alone[:5]) or "neither"
        raise BadInputError(
            f"{root}: expected annotations/{_PREFIX}*.json, or one annotation file alone, found {found}; {source}"
        )
    folders = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    return [ImageSet(alone[0].stem, alone[0], folders[0] if len(folders) == 1 else root, False)]


def found_beside(of: ImageSet, images: Iterable[str]) -> ImageSet:
    """A set whose images would lie in the one folder beside its annotations: here, where any of `images` lies here."""
    here = of.annotations.parent
    if of.images.parent == here and any(os.path.lexists(here / image) for image in images):
        return of._replace(images=here)
    return of
