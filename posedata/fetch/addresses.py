"""Where the authors publish their data, and what of it is read: a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from posedata.errors import ChoiceError


@dataclass(frozen=True)
class Archive:
    """A .zip or .tar.gz.

    Attributes:
        file: its name on a mirror and in messages.
        url: where its authors publish it; None = nowhere that a program can read.
        keep: what is kept: patterns of members' paths. Each must be there; its group is the path in the raw tree,
            below `into`. Names that begin with a dot, which some systems add, never match.
        into: a folder of the raw tree.
    """

    file: str
    url: str | None
    keep: tuple[str, ...]
    into: str = ""


@dataclass(frozen=True)
class Publication:
    """A dataset: the page that tells of it, what its authors want cited, and its archives."""

    page: str
    cite: str
    archives: tuple[Archive, ...]


_FOLDERS = r"(?:[^/]+/)*"
_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_REPOSITORY = "https://github.com/dmoltisanti/brace"

PUBLISHED: Mapping[str, Publication] = {
    "brace": Publication(
        _REPOSITORY,
        "Moltisanti, Wu, Dai, Loy: BRACE: The Breakdancing Competition Dataset for Dance Motion Synthesis, ECCV 2022",
        (
            Archive(
                "dataset.zip",
                f"{_REPOSITORY}/releases/download/v1.0/dataset.zip",
                (rf"{_FOLDERS}([0-9]{{4}}/{_NAME}/{_NAME}\.json)",),
                into="dataset",
            ),
            Archive(
                "manual_keypoints.zip",
                f"{_REPOSITORY}/releases/download/mk_v1.0/manual_keypoints.zip",
                (rf"{_FOLDERS}([0-9]{{4}}/{_NAME}/img-[0-9]+\.npz)",),
                into="manual_keypoints",
            ),
            Archive(
                "brace-main.zip",
                f"{_REPOSITORY}/archive/refs/heads/main.zip",
                (
                    r"[^/]+/(annotations/segments\.csv)",
                    r"[^/]+/(annotations/sequences_train\.csv)",
                    r"[^/]+/(annotations/sequences_test\.csv)",
                    r"[^/]+/(annotations/shot_boundaries\.json)",
                    r"[^/]+/(videos_info\.csv)",
                ),
            ),
        ),
    ),
    "penn_action": Publication(
        "http://dreamdragon.github.io/PennAction/",
        "Zhang, Zhu, Derpanis: From Actemes to Action: A Strongly-supervised Representation for Detailed Action "
        "Understanding, ICCV 2013",
        (
            Archive(
                "Penn_Action.tar.gz",
                "https://www.cis.upenn.edu/~kostas/Penn_Action.tar.gz",
                (rf"{_FOLDERS}(labels/[0-9]+\.mat)",),
            ),
        ),
    ),
    "speed21": Publication(
        "https://dl.acm.org/doi/10.1145/3475722.3482795",
        "Elias, Skvarlova, Zezula: SPEED21: Speed Climbing Motion Dataset, MMSports 2021",
        (Archive("speed21.zip", None, (rf"{_FOLDERS}(skeletons/{_NAME}\.data)", rf"{_FOLDERS}(metadata\.txt)")),),
    ),
}
"""Dataset -> where it is. ClimbAlong is private."""


def find_publication(name: str) -> Publication:
    """Where a dataset is published.

    Raises:
        ChoiceError: if it is not among them.
    """
    if name not in PUBLISHED:
        raise ChoiceError(
            f"dataset {name!r}: expected one that can be fetched: {', '.join(PUBLISHED)}; where to get another, "
            "`posedata build --dataset` tells"
        )
    return PUBLISHED[name]


def find_urls(name: str, given: str | None) -> list[str]:
    """The address of each archive of a dataset.

    Args:
        name: the dataset.
        given: instead of the authors' addresses: that of the only archive or, with a `/` at its end, that of a folder
            which holds the archives under the names of the table.

    Raises:
        ChoiceError: if that does not make an address for each archive.
    """
    publication = find_publication(name)
    files = [archive.file for archive in publication.archives]
    if given is None:
        urls = [archive.url for archive in publication.archives if archive.url is not None]
        if len(urls) < len(files):
            raise ChoiceError(
                f"{name}: expected --url, for its authors publish no address that a program can read; "
                f"see {publication.page}"
            )
        return urls
    if not given.lower().startswith(("https://", "http://")):
        raise ChoiceError(f"--url {given}: expected https:// or http://")
    if given.endswith("/"):
        return [given + file for file in files]
    if len(files) > 1:
        raise ChoiceError(f"--url {given}: expected a folder with a / at its end, which holds {', '.join(files)}")
    return [given]
