"""What a .json or .jsonl file holds, told by how it begins."""

import re
from codecs import BOM_UTF8
from pathlib import Path
from typing import Literal

Kind = Literal["coco", "results", "mediapipe"]

_HEAD = 1 << 16
"""Bytes of a file by which its kind is told."""

_LANDMARKS = re.compile(rb'"(pose_landmarks|landmark)"\s*:')
_OF_MMPOSE = re.compile(rb'\{\s*"(meta_info|instance_info)"\s*:')
_RESULTS = re.compile(rb'"(image_id|frame_id|instances|keypoint_scores)"\s*:')


def kind_of(path: Path) -> Kind:
    """An object is COCO's, or results if it begins as MMPose's do.

    A list, or a .jsonl, is MediaPipe's, unless it has keys of results near the beginning alone.

    A file that cannot be opened counts as COCO's: whoever reads it will say so.
    """
    if path.suffix.lower() == ".jsonl":
        return "mediapipe"
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return "coco"
    text = head.removeprefix(BOM_UTF8).lstrip()
    if not text.startswith(b"["):
        return "results" if _OF_MMPOSE.match(text) else "coco"
    return "results" if _RESULTS.search(head) and not _LANDMARKS.search(head) else "mediapipe"
