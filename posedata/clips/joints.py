"""Human3.6M's 17 joints. Data only.

Order and names are those of the public annotations, but for the legs: files that name joint 1 `left_hip` are wrong.
Joints 1 to 3 and 14 to 16 lie on one side, and it is the right one, as the photographs show.
"""

JOINTS = (
    "pelvis",
    "right_hip",
    "right_knee",
    "right_foot",
    "left_hip",
    "left_knee",
    "left_foot",
    "spine",
    "thorax",
    "neck_base",
    "head",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
)
"""In the order of the arrays. `neck_base` lies before the neck, at the face."""

INDEX = {name: i for i, name in enumerate(JOINTS)}

LIMBS = (
    (0, 1),
    (1, 2),
    (2, 3),
    (0, 4),
    (4, 5),
    (5, 6),
    (0, 7),
    (7, 8),
    (8, 9),
    (9, 10),
    (8, 11),
    (11, 12),
    (12, 13),
    (8, 14),
    (14, 15),
    (15, 16),
)
"""Joints that a bone joins, the one nearer to the pelvis first; a bone comes after the one that it hangs on."""

PAIRS = tuple((INDEX[name], INDEX[name.replace("left_", "right_")]) for name in JOINTS if name.startswith("left_"))
"""(left, right), for flips."""
