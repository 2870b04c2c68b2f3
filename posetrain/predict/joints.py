"""Which joints a detector's file has, where no joint map names them."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from posedata.errors import bad_file
from posedata.formats.keypoints.jointmap import MAP_NAME, JointMap
from posedata.formats.keypoints.tracks import Joints, Slots
from posedata.skeleton import COCO_17, COCO_NAMES, HALPE_26, HALPE_136, INDEX, KEYPOINTS, WHOLEBODY_133

_DROPPED = [f"{side}_eye{part}" for side in ("left", "right") for part in ("", "_inner", "_outer")]

_PLAIN: Joints = {
    **{name: name for name in KEYPOINTS},
    **dict.fromkeys([*_DROPPED, "mouth_left", "mouth_right"]),
}
"""Joints that are called as keypoints are, which COCO and MediaPipe do."""


_UNNAMED = {len(order): order for order in (COCO_17, HALPE_26, WHOLEBODY_133, HALPE_136)}
"""What the joints are of a file that does not name them."""


def _of_whole_body(names: Sequence[str]) -> bool:
    return tuple(names[: len(COCO_NAMES)]) == COCO_NAMES and "left_big_toe" in names and "left_foot_index" not in names


class PlainMap(JointMap):
    """Of a detector's file: it need not name joints, which are then called as keypoints are, nor tell who is who."""

    linked: ClassVar[bool] = True

    def need_joints(self, path: Path) -> Joints:
        """Its own, or the plain ones."""
        return _PLAIN if self.joints is None else super().need_joints(path)

    def named_slots(self, path: Path, names: Sequence[str]) -> Slots:
        """Its own, or the plain ones; of skeletons of the whole body also toes, face and hands."""
        if self.joints is None and _of_whole_body(names):
            return [INDEX.get(name.replace("big_toe", "foot_index")) for name in names]
        return super().named_slots(path, names)

    def unnamed_slots(self, path: Path, count: int) -> Slots:
        """Its own in their order, or those of the only skeleton that has so many."""
        if self.joints is not None:
            return super().unnamed_slots(path, count)
        if count not in _UNNAMED:
            raise bad_file(
                path,
                [
                    "expected poses of 17 (COCO), 26 or 136 (Halpe) or 133 joints (COCO-WholeBody), "
                    f"found {count}; name yours in a {MAP_NAME} beside it"
                ],
            )
        return [None if keypoint is None else INDEX[keypoint] for keypoint in _UNNAMED[count]]
