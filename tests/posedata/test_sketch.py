"""A picture as text."""

import xml.etree.ElementTree as ET

import numpy as np

from posedata.skeleton import INDEX, K
from posedata.sketch import sketch

SVG = "{http://www.w3.org/2000/svg}"


def picture(
    target: dict[str, tuple[float, float]], given: dict[str, tuple[float, float]], poses: int = 1
) -> ET.Element:
    def points(places: dict[str, tuple[float, float]]) -> np.ndarray:
        found = np.full((poses, K, 2), np.nan)
        for name, place in places.items():
            found[:, INDEX[name]] = place
        return found

    return ET.fromstring(sketch(points(target), points(given)))  # noqa: S314


def test_limbs_join_what_is_there_and_nothing_else() -> None:
    root = picture({"left_hip": (10, 20), "left_knee": (12, 30), "right_hip": (14, 20), "nose": (1, 2)}, {})
    lines = {tuple(line.get(k) for k in ("x1", "y1", "x2", "y2")) for line in root.iter(f"{SVG}line")}
    assert lines == {("10.0", "20.0", "12.0", "30.0"), ("10.0", "20.0", "14.0", "20.0")}
    assert len(list(root.iter(f"{SVG}circle"))) == 4


def test_sides_have_their_colours_and_the_input_is_a_ring() -> None:
    root = picture({"left_hip": (10, 20)}, {"right_hip": (14, 20), "nose": (5, 6)})
    dot, *rings = sorted(root.iter(f"{SVG}circle"), key=lambda circle: circle.get("fill") == "none")
    assert dot.get("fill") == "#1f6fb4"
    assert {ring.get("stroke") for ring in rings} == {"#d95f02", "#555555"}


def test_poses_stand_in_rows_of_four() -> None:
    root = picture({"nose": (1, 2)}, {}, poses=5)
    assert root.get("viewBox") == "0 0 240 120"
    assert [group.get("transform") for group in root.iter(f"{SVG}g")][4] == "translate(2 62)"
