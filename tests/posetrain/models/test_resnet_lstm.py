import copy
import shutil
from pathlib import Path

import pytest
import torch

from posedata.errors import BadInputError
from posetrain.models.resnet_lstm import ResNetLstm


@pytest.fixture(scope="module")
def model() -> ResNetLstm:
    torch.manual_seed(0)
    return ResNetLstm()


@pytest.fixture(scope="module")
def folder(model: ResNetLstm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The backbone as a pretrained one."""
    path = tmp_path_factory.mktemp("weights") / "resnet-50"
    model.backbone.save_pretrained(path)  # type: ignore[operator]
    return path


def test_layers_are_of_the_sizes_that_the_seed_has(model: ResNetLstm) -> None:
    def count(part: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in part.parameters())

    assert count(model.backbone) == 23_508_032
    assert count(model.narrow) == 2048 * 128 + 128
    assert count(model.lstm) == 4 * 256 * (7 * 7 * 128 + 256 + 2)  # torch has two biases
    assert count(model.joints) == 256 * 51 + 51


def test_a_frame_hangs_on_itself_and_those_before_it(model: ResNetLstm) -> None:
    model.eval()
    clips = torch.rand(2, 3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    clips = torch.nn.functional.interpolate(clips.flatten(0, 1), 224).unflatten(0, (2, 3))
    other = clips.clone()
    other[0, 1] = 0.0
    with torch.inference_mode():
        one, two = model(clips), model(other)
    assert one.shape == (2, 3, 17, 3)
    torch.testing.assert_close(one[1], two[1])
    torch.testing.assert_close(one[0, 0], two[0, 0])
    assert (one[0, 1:] != two[0, 1:]).flatten(1).any(dim=1).all()


def test_pretrained_weights_are_taken_and_frozen_ones_stay(model: ResNetLstm, folder: Path) -> None:
    frozen = ResNetLstm(str(folder), frozen=True).train()
    before = copy.deepcopy(frozen.backbone.state_dict())
    for name, value in model.backbone.state_dict().items():
        assert torch.equal(before[name], value), name
    frozen(torch.rand(1, 1, 3, 224, 224)).square().sum().backward()
    assert all(parameter.grad is None for parameter in frozen.backbone.parameters())
    assert frozen.narrow.weight.grad is not None
    assert all(torch.equal(before[name], value) for name, value in frozen.backbone.state_dict().items())


def test_what_is_no_resnet_50_is_refused(tmp_path: Path) -> None:
    from transformers import ResNetConfig, ResNetModel  # takes seconds, so not where tests are collected

    small = ResNetConfig(depths=[1, 1, 1, 1], layer_type="basic", hidden_sizes=[8, 8, 8, 8], embedding_size=8)
    ResNetModel(small).save_pretrained(tmp_path / "small")
    with pytest.raises(BadInputError, match="small: expected a ResNet-50, found another"):
        ResNetLstm(str(tmp_path / "small"))
    with pytest.raises(BadInputError, match="none: expected a folder with a pretrained ResNet-50"):
        ResNetLstm(str(tmp_path / "none"))


def test_weights_of_other_names_are_not_taken_for_pretrained_ones(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    place = Path(shutil.copytree(folder, tmp_path / "other"))
    weights = place / "model.safetensors"
    save_file({f"timm.{name}": value for name, value in load_file(weights).items()}, weights, {"format": "pt"})
    with pytest.raises(BadInputError, match=r"other: expected all weights of .*, found 265 missing, as emb"):
        ResNetLstm(str(place))


def test_weights_under_a_classifier_are_taken_without_its_counters(model: ResNetLstm, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file
    from transformers import ResNetConfig, ResNetForImageClassification

    whole = ResNetForImageClassification(ResNetConfig())
    whole.resnet.load_state_dict(model.backbone.state_dict())
    whole.save_pretrained(tmp_path / "whole")
    weights = tmp_path / "whole" / "model.safetensors"
    kept = {name: value for name, value in load_file(weights).items() if not name.endswith("num_batches_tracked")}
    save_file(kept, weights, {"format": "pt"})
    found = ResNetLstm(str(tmp_path / "whole")).backbone.state_dict()
    for name, value in model.backbone.named_parameters():
        assert torch.equal(found[name], value), name


def test_weights_that_were_cut_are_told(folder: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(folder, tmp_path / "cut"))
    weights = place / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(BadInputError, match="cut: expected a folder with a pretrained ResNet-50, found"):
        ResNetLstm(str(place))


def test_weights_of_16_bits_are_widened(model: ResNetLstm, tmp_path: Path) -> None:
    copy.deepcopy(model.backbone).half().save_pretrained(tmp_path / "half")  # type: ignore[operator]
    found = ResNetLstm(str(tmp_path / "half"))
    assert {parameter.dtype for parameter in found.parameters()} == {torch.float32}
    assert found(torch.rand(1, 1, 3, 224, 224)).dtype == torch.float32
