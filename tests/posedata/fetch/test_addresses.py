"""The table of addresses, and what stands in for them."""

import re

import pytest

from posedata.errors import ChoiceError
from posedata.fetch.addresses import PUBLISHED, find_publication, find_urls
from posedata.formats import FORMATS


def test_all_but_private_data_is_published() -> None:
    assert sorted(PUBLISHED) == sorted(FORMATS.keys() - {"climbalong", "keypoints"})
    with pytest.raises(ChoiceError, match=r"climbalong.*brace, penn_action, speed21"):
        find_publication("climbalong")


def test_the_authors_addresses() -> None:
    for name in ("brace", "penn_action"):
        urls = find_urls(name, None)
        assert len(urls) == len(PUBLISHED[name].archives)
        assert all(url.startswith("https://") for url in urls)
    with pytest.raises(ChoiceError, match=r"speed21: expected --url.*https://dl\.acm\.org/"):
        find_urls("speed21", None)


def test_a_mirror_is_a_folder_and_an_archive_is_a_file() -> None:
    assert find_urls("brace", "https://m/x/") == [
        "https://m/x/dataset.zip",
        "https://m/x/manual_keypoints.zip",
        "https://m/x/brace-main.zip",
    ]
    assert find_urls("speed21", "HTTP://m/a.tgz") == ["HTTP://m/a.tgz"]


@pytest.mark.parametrize(
    ("name", "url"), [("brace", "https://m/x"), ("speed21", "ftp://m/a.zip"), ("speed21", "a.zip")]
)
def test_what_is_no_address_is_refused(name: str, url: str) -> None:
    with pytest.raises(ChoiceError, match=re.escape(f"--url {url}: expected")):
        find_urls(name, url)


@pytest.mark.parametrize(
    ("name", "file", "member", "kept"),
    [
        ("brace", 0, "dataset/2011/-a_b/-a_b_1-9_toprock.json.json", "2011/-a_b/-a_b_1-9_toprock.json.json"),
        ("brace", 0, "2011/-a_b/-a_b_1-9_toprock.json", "2011/-a_b/-a_b_1-9_toprock.json"),
        ("brace", 0, "__MACOSX/dataset/2011/-a_b/._x.json", None),
        ("brace", 0, "dataset/2011/x.json", None),
        ("brace", 0, "dataset/2011/a/x\n.json", None),
        ("brace", 1, "manual_keypoints/2011/-a_b/img-000001.npz", "2011/-a_b/img-000001.npz"),
        ("brace", 2, "brace-main/annotations/segments.csv", "annotations/segments.csv"),
        ("brace", 2, "brace-main/annotations/audio_beats.json", None),
        ("brace", 2, "brace-main/videos_info.csv", "videos_info.csv"),
        ("penn_action", 0, "Penn_Action/labels/0001.mat", "labels/0001.mat"),
        ("penn_action", 0, "Penn_Action/labels/._0001.mat", None),
        ("penn_action", 0, "Penn_Action/frames/0001/000001.jpg", None),
        ("speed21", 0, "skeletons/11_2018-07-28_1.data", "skeletons/11_2018-07-28_1.data"),
        ("speed21", 0, "a/b/metadata.txt", "metadata.txt"),
        ("speed21", 0, "climbers.txt", None),
    ],
)
def test_what_is_kept(name: str, file: int, member: str, kept: str | None) -> None:
    matches = [re.fullmatch(pattern, member) for pattern in PUBLISHED[name].archives[file].keep]
    assert [match[1] for match in matches if match] == ([kept] if kept else [])
