"""Colours of skeletons and heatmaps, red green blue. Left is blue, right is orange, what lies between is green."""

from posedata.skeleton import KEYPOINTS, LIMBS

Colour = tuple[int, int, int]

GROUND: Colour = (17, 19, 24)
"""Where a heatmap is 0."""

PEAK: Colour = (132, 136, 146)
"""Where a heatmap is at its peak: dark enough for lines to stand out."""

PAPER: Colour = (30, 33, 40)
INK: Colour = (232, 234, 238)

SIDES: dict[str, Colour] = {"left": (64, 150, 255), "right": (255, 128, 32), "middle": (64, 210, 120)}
"""What a legend shows of them."""

_LIMBS: dict[tuple[str, str], Colour] = {
    ("left", "head"): (120, 220, 255),
    ("left", "arm"): (60, 190, 255),
    ("left", "torso"): SIDES["left"],
    ("left", "leg"): (84, 110, 255),
    ("right", "head"): (255, 225, 90),
    ("right", "arm"): (255, 180, 40),
    ("right", "torso"): SIDES["right"],
    ("right", "leg"): (255, 76, 50),
    ("middle", "head"): SIDES["middle"],
    ("middle", "torso"): SIDES["middle"],
}

_PARTS = {"nose": "head", "ear": "head", "shoulder": "torso", "hip": "torso"} | dict.fromkeys(
    ("knee", "ankle", "heel", "foot_index"), "leg"
)
"""Joint without its side -> the part it is the end of; all others are of the arm."""


def side(*names: str) -> str:
    """The side that keypoints lie on: "left", "right", or "middle" if on both or neither."""
    found = {name.partition("_")[0] for name in names} & {"left", "right"}
    return found.pop() if len(found) == 1 else "middle"


def part(name: str) -> str:
    """The part of the body that a limb with this end, or the keypoint itself, belongs to."""
    return _PARTS.get(name.removeprefix("left_").removeprefix("right_"), "arm")


def lighter(colour: Colour) -> Colour:
    """The same, half way to white: the input's."""
    red, green, blue = colour
    return (red + 255) // 2, (green + 255) // 2, (blue + 255) // 2


KEYPOINT_COLOURS = tuple(_LIMBS[side(name), part(name)] for name in KEYPOINTS)
"""In store order."""

LIMB_COLOURS = tuple(
    _LIMBS[side(KEYPOINTS[a], KEYPOINTS[b]), "head" if KEYPOINTS[b] == "nose" else part(KEYPOINTS[b])] for a, b in LIMBS
)
"""In the order of `posedata.skeleton.LIMBS`: a limb belongs to the part at its far end."""

PEOPLE: tuple[Colour, ...] = (
    (255, 180, 40),
    (60, 190, 255),
    (64, 210, 120),
    (255, 100, 170),
    (190, 140, 255),
    (225, 225, 80),
    (255, 76, 50),
    (90, 235, 220),
)
"""For several people on one picture, one each; then from the beginning."""
