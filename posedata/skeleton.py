"""The 25 keypoints, their pairs and limbs, and how each source's joints map onto them. Data only."""

import numpy as np
from numpy.typing import NDArray

KEYPOINTS = (
    "nose",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_pinky",
    "right_pinky",
    "left_index",
    "right_index",
    "left_thumb",
    "right_thumb",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
    "left_heel",
    "right_heel",
    "left_foot_index",
    "right_foot_index",
)
"""The keypoints in store order."""

K = len(KEYPOINTS)

INDEX = {name: i for i, name in enumerate(KEYPOINTS)}

PAIRS = tuple((INDEX[name], INDEX[name.replace("left_", "right_")]) for name in KEYPOINTS if name.startswith("left_"))
"""(left, right) keypoint numbers, for flips and for scores by joint."""

MIRRORED = tuple(
    INDEX[n.replace("left_", "right_") if n.startswith("left_") else n.replace("right_", "left_")] for n in KEYPOINTS
)
"""The keypoint that each one is in a mirror."""

GROUPS: dict[str, tuple[int, ...]] = {"nose": (INDEX["nose"],)} | {
    KEYPOINTS[left].removeprefix("left_"): (left, right) for left, right in PAIRS
}
"""Joint name without its side -> keypoint numbers, as per-joint tables report them."""

_LIMB_NAMES = (
    ("left_ear", "nose"),
    ("right_ear", "nose"),
    ("left_shoulder", "right_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("right_shoulder", "right_elbow"),
    ("left_elbow", "left_wrist"),
    ("right_elbow", "right_wrist"),
    ("left_wrist", "left_pinky"),
    ("right_wrist", "right_pinky"),
    ("left_wrist", "left_index"),
    ("right_wrist", "right_index"),
    ("left_wrist", "left_thumb"),
    ("right_wrist", "right_thumb"),
    ("left_shoulder", "left_hip"),
    ("right_shoulder", "right_hip"),
    ("left_hip", "right_hip"),
    ("left_hip", "left_knee"),
    ("right_hip", "right_knee"),
    ("left_knee", "left_ankle"),
    ("right_knee", "right_ankle"),
    ("left_ankle", "left_heel"),
    ("right_ankle", "right_heel"),
    ("left_ankle", "left_foot_index"),
    ("right_ankle", "right_foot_index"),
)

LIMBS = tuple((INDEX[a], INDEX[b]) for a, b in _LIMB_NAMES)
"""Keypoint numbers to join with a line when a pose is drawn."""

TORSO_SIDES = (
    (INDEX["left_shoulder"], INDEX["left_hip"]),
    (INDEX["right_shoulder"], INDEX["right_hip"]),
)
"""(shoulder, hip) of either side: the torso diameter is the mean of their lengths."""

# Source joint orders. A name is the keypoint that the joint becomes; None means that it is dropped.

COCO_NAMES = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""What COCO calls its 17 joints, in the order of its files."""

COCO_17: tuple[str | None, ...] = tuple(None if name.endswith("_eye") else name for name in COCO_NAMES)

PENN_13: tuple[str | None, ...] = (
    "nose",  # Penn Action annotates the head and no nose: the head stands in for it (seed 000, 1.2.1)
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)

MPII_16: tuple[str | None, ...] = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    None,  # pelvis
    None,  # thorax
    None,  # upper neck
    None,  # head top
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
)

BODY_25: tuple[str | None, ...] = (
    "nose",
    None,  # neck
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    None,  # middle of the hips
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    None,  # right eye
    None,  # left eye
    "right_ear",
    "left_ear",
    "left_foot_index",  # big toe
    None,  # left small toe
    "left_heel",
    "right_foot_index",
    None,  # right small toe
    "right_heel",
)

OPENPOSE_18: tuple[str | None, ...] = (*BODY_25[:8], *BODY_25[9:19])
"""What OpenPose calls COCO: the neck beside COCO's 17, in the order of BODY_25, and no middle of the hips."""

HALPE_26: tuple[str | None, ...] = (
    *COCO_17,
    *[None] * 3,  # head, neck, middle of the hips
    "left_foot_index",  # big toe
    "right_foot_index",
    *[None] * 2,  # small toes
    "left_heel",
    "right_heel",
)
"""The body of Halpe, as AlphaPose has it (https://github.com/Fang-Haoshu/Halpe-FullBody)."""

HALPE_136: tuple[str | None, ...] = (*HALPE_26, *[None] * 110)
"""The same, then a face and two hands."""

WHOLEBODY_133: tuple[str | None, ...] = (
    *COCO_17,
    "left_foot_index",  # big toe
    None,  # left small toe
    "left_heel",
    "right_foot_index",
    None,  # right small toe
    "right_heel",
    *[None] * 110,
)
"""COCO-WholeBody: body, feet, then a face and two hands (https://github.com/jin-s13/COCO-WholeBody)."""

MEDIAPIPE_33: tuple[str | None, ...] = (
    "nose",
    *[None] * 6,  # inner corner, middle and outer corner of the left eye, then of the right
    "left_ear",
    "right_ear",
    *[None] * 2,  # mouth, left and right
    *KEYPOINTS[3:],  # from the shoulders down the store has MediaPipe's order
)


def to_keypoints(joints: NDArray[np.float64], order: tuple[str | None, ...]) -> NDArray[np.float64]:
    """Put a source's joints into their places among the 25 keypoints.

    Args:
        joints: (T, len(order), 2) float64, NaN = missing.
        order: what each source joint becomes, None = dropped.

    Returns:
        (T, 25, 2) float64; NaN where the source has no such joint.
    """
    points = np.full((len(joints), K, 2), np.nan)
    kept = [(i, INDEX[name]) for i, name in enumerate(order) if name is not None]
    source, target = zip(*kept, strict=True)
    points[:, list(target)] = joints[:, list(source)]
    return points
