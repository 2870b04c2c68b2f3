"""The card of a store of crops."""

from pathlib import Path

from posedata.crops.card import crop_card
from posedata.crops.store import open_crops


def test_the_card_tells_what_the_manifest_does(crops: Path) -> None:
    manifest = open_crops(crops).manifest
    text = (crops / "README.md").read_text()
    counts = manifest.summary["counts"]
    for told in (
        'tags: ["human-pose", "keypoints", "zarr"]\n',
        "**Synthetic:** nobody looks like this, and figures measured on it mean nothing.\n\n![People",
        f"{counts['frames']} crops of 256 x 256 pixels from {counts['images']} photographs",
        f"| train | {counts['splits']['train']} |",
        "- coco: ",
        f"Content digest: `{manifest.content_digest}`",
    ):
        assert told in text
    mended = manifest.summary | {"synthetic": False}
    assert "Synthetic" not in crop_card("a", mended, "0", 3, ())
    assert "3 lines of `posedata info` tell what was left out" in crop_card("a", mended, "0", 3, ())
    assert "- **Mind:** no test crops\n\nContent" in crop_card("a", mended, "0", 3, ("no test crops",))
