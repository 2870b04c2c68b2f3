"""What a file holds, told by how it begins."""

import json
from pathlib import Path

import pytest

from posedata.formats.keypoints.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.json", '{"annotations": [{"image_id": 1}]}', "coco"),
        ("a.json", "", "coco"),
        ("a.json", '{\n\t"meta_info": {"keypoint_id2name": {}}', "results"),
        ("a.json", '\ufeff{"instance_info": []}', "results"),
        ("a.json", '{"images": [], "meta_info": {}}', "coco"),
        ("a.json", '[{"image_id": 1, "keypoints": []}]', "results"),
        ("A.JSON", json.dumps([{"frame_id": 0, "instances": []}], indent=2), "results"),
        ("a.json", json.dumps([{"keypoints": [1.5] * 3000, "image_id": 1}]), "results"),
        ("a.json", '[{"keypoints": [[1, 2]], "keypoint_scores": [1]}]', "results"),
        ("a.json", '\ufeff [{"image_id": 0}]', "results"),
        ("a.json", '[null, {"pose_landmarks": [], "image_id": 1}]', "mediapipe"),
        ("a.json", '[{"frame_id": 1, "pose_landmarks": []}]', "mediapipe"),
        ("a.json", '[{"image_id": 1, "landmark": []}]', "mediapipe"),
        ("a.json", " \n[null]", "mediapipe"),
        ("a.json", '\ufeff[{"landmark": []}]', "mediapipe"),
        ("a.jsonl", "", "mediapipe"),
        ("a.JSONL", '{"image_id": 1}', "mediapipe"),
    ],
)
def test_a_kind_is_told_by_how_a_file_begins(name: str, text: str, kind: Kind, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert kind_of(tmp_path / name) == kind


def test_what_cannot_be_opened_is_left_to_its_reader(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "gone.json") == kind_of(tmp_path) == "coco"
