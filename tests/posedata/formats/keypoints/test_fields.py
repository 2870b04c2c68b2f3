"""Fields of JSON files of poses, by hand."""

import pytest

from posedata.formats.keypoints.fields import frame_in_name, frame_number, person_name


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("cam1/take2_0012.jp2", 12),
        ("take2.0013", 13),
        ("7/x.png", None),
        ("9" * 16, None),
        ("2147483648.jpg", None),
        (3, None),
    ],
)
def test_a_frame_is_the_last_number_of_a_name(name: object, frame: int | None) -> None:
    assert frame_in_name(name) == frame


@pytest.mark.parametrize(("given", "frame"), [(0, 0), (7.0, 7), (7.5, None), (-1, None), (True, None), ("7", None)])
def test_a_frame_is_a_whole_number_from_0(given: object, frame: int | None) -> None:
    assert frame_number(given) == frame


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, ""),
        (7, "7"),
        (7.0, "7"),
        ("b", "b"),
        ("", None),
        (1.5, None),
        (True, None),
        ([], None),
        (float("inf"), None),
    ],
)
def test_a_person_has_a_number_or_a_name(given: object, name: str | None) -> None:
    assert person_name(given) == name
