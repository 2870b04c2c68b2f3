import math

import pytest
import torch
from torch import nn

from posetrain.config import TrainConfig
from posetrain.models import count_parameters, make_model
from posetrain.models.hourglass import Hourglass, Residual, StackedHourglass

pytestmark = pytest.mark.usefixtures("one_thread")

NORM_256, NORM_128 = 2 * 256, 2 * 128
RESIDUAL = (NORM_256 + 256 * 128 + 128) + (NORM_128 + 128 * 128 * 9 + 128) + (NORM_128 + 128 * 256 + 256)
HEAD = (256 * 256 + 256) + NORM_256 + (256 * 17 + 17)
BACK = (256 * 256 + 256) + (17 * 256 + 256)
"""What a stack hands on to the next one."""
STEM = (3 * 7 * 7 * 256 + 256) + NORM_256 + RESIDUAL


def test_parameters_are_those_counted_by_hand() -> None:
    """Of an hourglass: 4 skips, 3 ways down, 3 in the bottleneck, 4 ways up."""
    assert RESIDUAL == 214_528 == count_parameters(Residual(256))
    assert count_parameters(Hourglass(256)) == 14 * RESIDUAL
    assert count_parameters(StackedHourglass(1, 256)) == STEM + 14 * RESIDUAL + HEAD == 3_326_993
    assert count_parameters(StackedHourglass(3, 256)) == 3_326_993 + 2 * (14 * RESIDUAL + HEAD + BACK)
    assert 14 * RESIDUAL + HEAD + BACK == 3_144_465


def test_a_narrow_one_has_half_its_width_inside() -> None:
    residual = 2 * 64 + (64 * 32 + 32) + 2 * 32 + (32 * 32 * 9 + 32) + 2 * 32 + (32 * 64 + 64)
    model = make_model(TrainConfig(model="hourglass", width=64, stacks=2)).eval()
    stem = (3 * 7 * 7 * 64 + 64) + 2 * 64 + residual
    head, back = (64 * 64 + 64) + 2 * 64 + (64 * 17 + 17), (64 * 64 + 64) + (17 * 64 + 64)
    assert count_parameters(model) == stem + 2 * (14 * residual + head) + back
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 256, 256)).shape == (1, 2, 17, 64, 64)


def test_shapes_are_those_of_the_seed() -> None:
    model = StackedHourglass(2, 256).eval()
    seen = {}
    for name in ("stem", "hourglasses.0", "hourglasses.1.bottleneck"):
        model.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: seen.update({name: out.shape}))
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, 256, 256)).shape == (1, 2, 17, 64, 64)
    assert seen == {
        "stem": (1, 256, 128, 128),
        "hourglasses.0": (1, 256, 64, 64),
        "hourglasses.1.bottleneck": (1, 256, 4, 4),
    }


def test_a_normalisation_and_a_relu_stand_before_each_convolution_of_a_residual() -> None:
    kinds = [type(layer) for layer in Residual(256).layers]
    assert kinds == [nn.BatchNorm2d, nn.ReLU, nn.Conv2d] * 3


def test_a_residual_whose_last_convolution_is_zero_changes_nothing() -> None:
    residual = Residual(256).eval()
    for parameter in residual.layers[-1].parameters():
        nn.init.zeros_(parameter)
    features = torch.rand(1, 256, 4, 4)
    assert torch.equal(residual(features), features)


def test_what_goes_round_the_bottleneck_comes_back_at_its_own_size() -> None:
    """With residuals that change nothing, an hourglass adds the maxima of ever larger squares to its input."""
    hourglass = Hourglass(256).eval()
    for module in hourglass.modules():
        if isinstance(module, Residual):
            for parameter in module.layers[-1].parameters():
                nn.init.zeros_(parameter)
    features = torch.zeros(1, 256, 64, 64)
    features[0, 5, 17, 34] = 1.0  # in the square of 16 x 16 from row 16, column 32
    found = hourglass(features)[0, 5]
    expected = torch.zeros(64, 64)
    for size in (1, 2, 4, 8, 16):
        row, column = 17 // size * size, 34 // size * size
        expected[row : row + size, column : column + size] += 1
    torch.testing.assert_close(found, expected)


def test_every_weight_of_two_stacks_is_used_and_crops_do_not_see_each_other() -> None:
    model = make_model(TrainConfig(model="hourglass", stacks=2)).eval()
    crops = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))  # a quarter of the size is as good
    said = model(crops)
    said.square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []
    torch.testing.assert_close(said[1:], model(crops[1:]), rtol=1e-3, atol=1e-3)


def test_weights_are_glorot_normal() -> None:
    for name, parameter in make_model(TrainConfig(model="hourglass")).named_parameters():
        if parameter.dim() == 4 and parameter.numel() > 30_000:
            receptive = math.prod(parameter.shape[2:])
            expected = math.sqrt(2 / ((parameter.shape[0] + parameter.shape[1]) * receptive))
            assert float(parameter.detach().std()) == pytest.approx(expected, rel=0.03), name
            assert float(parameter.detach().abs().max()) > 3.2 * expected  # a uniform one ends at 1.7
