"""The limbs of COCO's 17 keypoints, and which of these lie on which side. Data only."""

from posedata.skeleton import COCO_NAMES

LIMBS = (
    (15, 13),
    (13, 11),
    (16, 14),
    (14, 12),
    (11, 12),
    (5, 11),
    (6, 12),
    (5, 6),
    (5, 7),
    (6, 8),
    (7, 9),
    (8, 10),
    (1, 2),
    (0, 1),
    (0, 2),
    (1, 3),
    (2, 4),
    (3, 5),
    (4, 6),
)
"""Joints that are drawn joined, as COCO's files have them, but counted from 0."""

PAIRS = tuple((i, i + 1) for i in range(1, len(COCO_NAMES), 2))
"""(left, right), for flips."""
