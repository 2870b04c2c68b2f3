"""The card of a store of clips."""

from pathlib import Path

from posedata.clips.card import clip_card
from posedata.clips.store import open_clips


def test_the_card_tells_what_the_manifest_does(clips: Path) -> None:
    manifest = open_clips(clips).manifest
    text = (clips / "README.md").read_text()
    assert text == clip_card(
        "human36m-clips", manifest.summary, manifest.content_digest, len(manifest.skipped), manifest.warnings
    )
    for told in (
        "**Synthetic:**",
        "8 clips of 8 frames of 224 x 224 pixels",
        "| up | -y |",
        "| train | 6 |",
        "| validation | 2 |",
        "- human36m: free for academic use",
        "- **Mind:** no test clips",
        f"Content digest: `{manifest.content_digest}`",
    ):
        assert told in text
    mended = manifest.summary | {"synthetic": False}
    assert "Synthetic" not in clip_card("a", mended, "0", 3, ())
    assert "3 clips were left out" in clip_card("a", mended, "0", 3, ())
