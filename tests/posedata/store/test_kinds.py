"""The table of kinds, and that a store is taken for the kind that its manifest says."""

import json
import shutil
from pathlib import Path

import pytest

from posedata.manifest import list_files, read_manifest, write_manifest
from posedata.shown import shown
from posedata.store.kinds import KINDS, described
from posedata.store.opened import verify


def test_every_kind_shows_itself() -> None:
    assert sorted(KINDS) == ["image-crops", "temporal-heatmaps", "video-clips"]
    for kind in KINDS:
        assert callable(shown(kind).card)
        assert callable(shown(kind).picture)
        assert callable(shown(kind).rows)


def test_the_kind_decides_on_the_arrays() -> None:
    specs, lengths = described({"kind": "image-crops", "counts": {"frames": 7, "images": 3}})
    assert lengths == {"frame": 7, "image": 3, "joint": 17}
    assert {spec.name: spec.inner for spec in specs if spec.sharded} == {"crop": (256, 256, 3)}
    specs, lengths = described({"kind": "video-clips", "counts": {"clips": 7}})
    assert lengths == {"frame": 56, "joint": 17}
    assert {spec.name: spec.inner for spec in specs if spec.sharded} == {"image": (224, 224, 3)}
    with pytest.raises(KeyError):
        described({"kind": "films", "counts": {}})


def test_another_kind_in_the_attributes_than_in_the_manifest_is_told(stores: dict[str, Path], tmp_path: Path) -> None:
    store = Path(shutil.copytree(stores["brace"], tmp_path / "a.zarr"))
    document = json.loads((store / "zarr.json").read_text())
    document["attributes"]["kind"] = "image-crops"
    (store / "zarr.json").write_text(json.dumps(document))
    write_manifest(store, read_manifest(store).model_copy(update={"files": list_files(store)}))
    (problem,) = verify(store)[1]
    assert problem.file == "zarr.json"
    assert problem.problem == 'attributes.kind: expected "temporal-heatmaps", found "image-crops"'
