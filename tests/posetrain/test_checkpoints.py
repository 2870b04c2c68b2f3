import shutil
from pathlib import Path

import pytest
import torch

from posedata.errors import BadInputError, IntegrityError
from posetrain import checkpoints
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.config import TrainConfig


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    weights = {"w": torch.arange(6.0).reshape(2, 3).T}
    state = {"history": [{"epoch": 1, "loss": 0.5}], "random": torch.get_rng_state(), "nested": {"a": [1, 2.5, "x"]}}
    checkpoints.save_checkpoint(tmp_path, 7, weights, state)
    assert checkpoints.saved_epochs(tmp_path) == [7]
    assert torch.equal(checkpoints.load_weights(tmp_path, 7)["w"], weights["w"])
    loaded = checkpoints.load_state(tmp_path, 7)
    assert loaded["history"] == state["history"]
    assert loaded["nested"] == state["nested"]
    assert torch.equal(loaded["random"], torch.get_rng_state())


def test_a_half_written_checkpoint_is_none(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / ".writing").mkdir(parents=True)
    (tmp_path / "checkpoints" / ".writing" / "state.pt").write_bytes(b"half")
    assert checkpoints.saved_epochs(tmp_path) == []
    checkpoints.save_checkpoint(tmp_path, 1, {"w": torch.ones(1)}, {})
    assert checkpoints.saved_epochs(tmp_path) == [1]


def test_prune_keeps_what_it_is_told(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        checkpoints.save_checkpoint(tmp_path, epoch, {"w": torch.ones(1)}, {})
    checkpoints.prune_checkpoints(tmp_path, {1, 3, 9})
    assert checkpoints.saved_epochs(tmp_path) == [1, 3]


def test_a_removal_that_is_cut_leaves_no_half_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for epoch in (1, 2, 3):
        checkpoints.save_checkpoint(tmp_path, epoch, {"w": torch.full((1,), epoch)}, {"epoch": epoch})
    real = shutil.rmtree

    def cut(path: Path, ignore_errors: bool = False) -> None:
        if path.exists():
            (path / "state.pt").unlink()
            raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", cut)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.prune_checkpoints(tmp_path, {2, 3})
    assert checkpoints.saved_epochs(tmp_path) == [2, 3]
    monkeypatch.setattr(shutil, "rmtree", real)
    checkpoints.save_checkpoint(tmp_path, 4, {"w": torch.full((1,), 4)}, {"epoch": 4})
    checkpoints.prune_checkpoints(tmp_path, {3, 4})
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["0003", "0004"]
    assert [checkpoints.load_state(tmp_path, epoch)["epoch"] for epoch in (3, 4)] == [3, 4]


@pytest.mark.parametrize("calls", range(5))
def test_wherever_removing_stops_all_that_is_seen_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    for epoch in range(1, 5):
        checkpoints.save_checkpoint(tmp_path, epoch, {"w": torch.full((1,), epoch)}, {"epoch": epoch})
    left = iter(range(calls))
    real = shutil.rmtree

    def cut(path: Path, ignore_errors: bool = False) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", cut)
    if calls < 4:
        with pytest.raises(KeyboardInterrupt):
            checkpoints.prune_checkpoints(tmp_path, {4})
    else:
        checkpoints.prune_checkpoints(tmp_path, {4})
    assert checkpoints.saved_epochs(tmp_path) == list(range(min(calls, 3) + 1, 5))
    for epoch in checkpoints.saved_epochs(tmp_path):
        assert int(checkpoints.load_weights(tmp_path, epoch)["w"]) == epoch
        assert checkpoints.load_state(tmp_path, epoch)["epoch"] == epoch


def test_weights_that_are_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="0004/weights"):
        checkpoints.load_weights(tmp_path, 4)


def test_run_information_is_checked(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="posetrain run"):
        checkpoints.read_run(tmp_path)
    info = RunInfo(config=TrainConfig(seed=5), store=StoreReference(path="s.zarr", content_digest="0"))
    checkpoints.write_json(tmp_path / checkpoints.RUN_NAME, info.model_dump())
    assert checkpoints.read_run(tmp_path) == info
    (tmp_path / checkpoints.RUN_NAME).write_text('{"config": {"epochs": "many"}}')
    with pytest.raises(IntegrityError, match=r"config\.epochs"):
        checkpoints.read_run(tmp_path)


@pytest.mark.parametrize("name", ["weights.safetensors", "state.pt"])
def test_a_flipped_bit_is_refused_with_the_file_named(tmp_path: Path, name: str) -> None:
    checkpoints.save_checkpoint(tmp_path, 1, {"w": torch.ones(100)}, {"history": []})
    path = tmp_path / "checkpoints" / "0001" / name
    content = bytearray(path.read_bytes())
    content[-30] ^= 1
    path.write_bytes(content)
    load = checkpoints.load_weights if name.startswith("w") else checkpoints.load_state
    with pytest.raises(IntegrityError, match=f"{name}: expected sha256"):
        load(tmp_path, 1)


def test_other_folders_are_no_checkpoints(tmp_path: Path) -> None:
    checkpoints.save_checkpoint(tmp_path, 1, {"w": torch.ones(1)}, {})
    (tmp_path / "checkpoints" / "0001.bak").mkdir()
    assert checkpoints.saved_epochs(tmp_path) == [1]
