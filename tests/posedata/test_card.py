"""The card in every store."""

from pathlib import Path

import pytest
import yaml

from posedata.card import CARD_NAME, PICTURE_NAME
from posedata.manifest import read_manifest


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_the_card_of_a_store(stores: dict[str, Path], name: str) -> None:
    text = (stores[name] / CARD_NAME).read_text()
    _, front, body = text.split("---\n", 2)
    fields = yaml.safe_load(front)
    manifest = read_manifest(stores[name])
    assert fields["source_datasets"] == [name]
    assert fields["size_categories"] == ["n<1K"]
    assert fields["license_name"] == f"{name}: {manifest.summary['licences'][name]}"
    assert f"({PICTURE_NAME})" in body
    assert (stores[name] / PICTURE_NAME).read_text().count("<g ") == min(8, manifest.summary["counts"]["sequences"])
    for split, windows in manifest.summary["counts"]["windows"].items():
        assert f"| {split} | {windows} |" in body
    assert "**Synthetic:**" in body
    assert manifest.content_digest in body
