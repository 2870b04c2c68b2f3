import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, PoseDataError
from posedata.skeleton import KEYPOINTS
from posedata.store.reader import Store
from posetrain import checkpoints, trained
from posetrain.config import TrainConfig
from posetrain.exported import export_run, find_export, read_export
from posetrain.history import load_best, load_history
from posetrain.models import make_model
from posetrain.trained import find_trained
from posetrain.training import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(noisy: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    config = TrainConfig(model="smoothnet", window=7, frame_step=2, epochs=2, max_windows=4, batch_size=4)
    train(config, noisy, folder, device=CPU)
    return folder


def test_an_exported_model_is_the_runs_best_epoch(noisy: Store, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.safetensors"
    exported = export_run(run, out, overwrite=False)
    assert read_export(out)[0] == exported
    epoch, weights = load_best(run)
    row = load_history(run)[epoch - 1]
    assert exported.validation == {t: row[f"val_pck@{t}"] for t in ("0.05", "0.1", "0.2")}
    assert exported.content_digest == noisy.manifest.content_digest
    found = find_trained(str(out), CPU)
    assert (found.model, found.epoch, found.window, found.frame_step) == ("smoothnet", epoch, 7, 2)
    assert isinstance(found.refine, torch.nn.Module)
    assert all(torch.equal(weights[name], value) for name, value in found.refine.state_dict().items())
    np.testing.assert_array_equal(found.seen, noisy["annotated"].any(axis=0))
    assert exported.keypoints == tuple(np.asarray(KEYPOINTS)[found.seen])


def test_any_epoch_that_is_kept_can_be_exported(run: Path, tmp_path: Path) -> None:
    for epoch in (1, 2):
        out = tmp_path / f"{epoch}.safetensors"
        assert export_run(run, out, False, epoch).epoch == epoch
        kept = checkpoints.load_weights(run, epoch)
        assert all(torch.equal(kept[name], value) for name, value in read_export(out)[1].items())
    with pytest.raises(BadInputError, match="epoch: expected one of 1, 2, found 3"):
        export_run(run, tmp_path / "3.safetensors", False, 3)


def test_half_the_size_is_as_good_to_three_digits(run: Path, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    export_run(run, whole, overwrite=False)
    export_run(run, half, overwrite=False, half=True)
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    weights, rounded = (find_trained(str(path), CPU).refine.state_dict() for path in (whole, half))  # type: ignore[union-attr]
    for name, value in weights.items():
        assert rounded[name].dtype == torch.float32
        torch.testing.assert_close(rounded[name], value, rtol=1e-3, atol=1e-6)
    assert any(not torch.equal(rounded[name], value) for name, value in weights.items())


def test_weights_that_sixteen_bits_cannot_hold_are_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetrain.exported.load_best", lambda run: (3, {"decode.bias": torch.tensor([1.0, 7e4])}))
    with pytest.raises(BadInputError, match=r"weights decode\.bias: expected below 65,504"):
        export_run(run, tmp_path / "half.safetensors", overwrite=False, half=True)
    assert not (tmp_path / "half.safetensors").exists()


def test_no_path_of_a_machine_is_exported(run: Path, noisy: Store, tmp_path: Path) -> None:
    config = TrainConfig(
        model="smoothnet", window=7, frame_step=2, epochs=1, max_windows=4, batch_size=4, init=str(run)
    )
    train(config, noisy, tmp_path / "tuned", device=CPU)
    export_run(tmp_path / "tuned", tmp_path / "one.safetensors", overwrite=False)
    assert str(run).encode() not in (tmp_path / "one.safetensors").read_bytes()
    assert str(noisy.path).encode() not in (tmp_path / "one.safetensors").read_bytes()


def test_it_replaces_a_file_when_asked_and_has_one_ending(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.safetensors"
    out.write_bytes(b"mine")
    with pytest.raises(ConflictError):
        export_run(run, out, overwrite=False)
    assert out.read_bytes() == b"mine"
    export_run(run, out, overwrite=True)
    first = out.read_bytes()
    export_run(run, out, overwrite=True)
    assert out.read_bytes() == first
    with pytest.raises(ChoiceError, match=r"ends in \.safetensors"):
        export_run(run, tmp_path / "one.pt", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == ["one.safetensors"]


def test_every_damaged_byte_is_noticed(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "one.safetensors"
    export_run(run, out, overwrite=False)
    content = out.read_bytes()
    begin = content.index(b"posetrain")
    for at in [*range(begin, begin + 900, 7), *np.random.default_rng(0).integers(0, len(content), 60).tolist()]:
        changed = bytearray(content)
        changed[at] ^= 1
        out.write_bytes(changed)
        with pytest.raises(PoseDataError):
            read_export(out)
    out.write_bytes(content[:-5])
    with pytest.raises(BadInputError, match="posetrain export"):
        read_export(out)


def test_other_files_are_told(run: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="found none"):
        read_export(tmp_path / "none.safetensors")
    other = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, other)
    with pytest.raises(BadInputError, match="weights of another kind"):
        read_export(other)
    save_file({"a": torch.zeros(2)}, other, metadata={"posetrain": "{}"})
    with pytest.raises(IntegrityError, match="config"):
        read_export(other)
    other.write_bytes(b"no")
    with pytest.raises(BadInputError, match="posetrain export"):
        read_export(other)
    out = tmp_path / "one.safetensors"
    export_run(run, out, overwrite=False)
    with safe_open(out, "pt") as file:
        told = json.loads(file.metadata()["posetrain"])
    told["validation"] = {"0.2": float("nan")}
    save_file({"a": torch.zeros(2)}, other, metadata={"posetrain": json.dumps(told)})
    with pytest.raises(IntegrityError, match="found another: it is damaged"):
        read_export(other)


def test_weights_of_another_version_are_told(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "one.safetensors"
    export_run(run, out, overwrite=False)
    monkeypatch.setattr(trained, "make_model", lambda config: make_model(config.model_copy(update={"window": 9})))
    with pytest.raises(IntegrityError, match="weights of this version's smoothnet"):
        find_trained(str(out), CPU)


def test_names_of_runs_are_no_exports() -> None:
    assert find_export("mixer-brace-k1-random") is None
    assert find_export("a/b.safetensors") == Path("a/b.safetensors")
