import pytest
import torch
from torch import nn

from posedata.errors import ChoiceError
from posetrain.config import TrainConfig
from posetrain.models import count_parameters, make_model
from posetrain.models.autoencoder import Autoencoder, CodeAlone, CodedHourglass
from posetrain.models.hourglass import StackedHourglass

pytestmark = pytest.mark.usefixtures("one_thread")


def convolution(before: int, after: int) -> int:
    return before * after * 9 + after


DOWN = convolution(256, 192) + convolution(192, 128) + convolution(128, 64) + (64 * 16 * 50 + 50)
UP = (50 * 64 * 16 + 64 * 16) + convolution(64, 128) + convolution(128, 192) + convolution(192, 256)


def test_parameters_are_those_counted_by_hand() -> None:
    assert DOWN + UP == 1_578_994 == count_parameters(Autoencoder(256))
    assert count_parameters(CodedHourglass(256)) == 3_326_993 + DOWN + UP
    assert count_parameters(CodeAlone(256)) == DOWN + UP


def test_all_passes_through_fifty_numbers() -> None:
    autoencoder = Autoencoder(256)
    activation = torch.randn(3, 256, 4, 4)
    assert autoencoder.encoder(activation).shape == (3, 50)
    assert autoencoder(activation).shape == activation.shape
    assert (autoencoder(activation) < 0).any()  # as the bottleneck's may be
    kinds = [type(layer) for layer in autoencoder.encoder]
    assert kinds == [*[nn.Conv2d, nn.ReLU] * 3, nn.Flatten, nn.Linear]


def test_the_code_stands_behind_the_bottleneck_and_is_all_that_differs() -> None:
    plain, coded = StackedHourglass(1, 256).eval(), CodedHourglass(256).eval()
    assert coded.load_state_dict(plain.state_dict(), strict=False).unexpected_keys == []
    crops = torch.randn(1, 3, 64, 64)
    coded.hourglass.code = nn.Identity()
    with torch.inference_mode():
        assert torch.equal(plain(crops), coded(crops))


def test_only_the_autoencoder_learns_and_its_input_is_noisy_as_it_does() -> None:
    model = make_model(TrainConfig(model="hourglass-ae"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    crops = torch.randn(2, 3, 256, 256, generator=torch.Generator().manual_seed(1))
    seen: list[torch.Tensor] = []
    assert isinstance(model, CodeAlone)
    model.hourglass.code.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    said = model.train()(crops)
    (said[:, 0] - said[:, 1]).square().sum().backward()
    assert {name for name, p in model.named_parameters() if p.grad is not None} == {
        name for name in before if ".code." in name
    }
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())  # running means too
    noise = seen[0].detach() / said[:, 1].detach() - 1
    assert float(noise.std()) == pytest.approx(0.1, rel=0.05)
    model.eval()(crops)
    torch.testing.assert_close(seen[1], said[:, 1].detach())


@pytest.mark.parametrize("model", ["hourglass-ae", "hourglass-coded"])
def test_a_narrow_hourglass_has_a_narrow_one(model: str) -> None:
    weights = make_model(TrainConfig(model=model, width=32)).state_dict()
    plain = make_model(TrainConfig(model="hourglass", width=32)).state_dict()
    assert {name: weights[name].shape for name in plain} == {name: value.shape for name, value in plain.items()}


@pytest.mark.parametrize("model", ["hourglass-ae", "hourglass-coded"])
def test_there_is_one_stack(model: str) -> None:
    with pytest.raises(ChoiceError, match=f"--stacks 2: expected 1 with {model}"):
        make_model(TrainConfig(model=model, stacks=2))
