import math

import pytest
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from posedata.errors import ChoiceError
from posetrain.config import Method, TrainConfig
from posetrain.models import make_model
from posetrain.optimizer import Optimizer, _matrices, cosine


def line(value: float) -> torch.nn.Linear:
    """One weight."""
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(model.weight, value)
    return model


def test_a_cosine_rises_falls_and_ends_at_a_hundredth() -> None:
    assert cosine(0, 1000) == pytest.approx(0.01)
    assert cosine(49, 1_000_000) == pytest.approx(0.5)
    assert cosine(500, 1000) == pytest.approx(0.505)
    assert cosine(1000, 1000) == cosine(1005, 1000) == pytest.approx(0.01)
    falling = [cosine(step, 1000) for step in range(100, 1000)]
    assert falling == sorted(falling, reverse=True)


def test_the_rate_of_a_cosine_follows_the_steps() -> None:
    model = line(0.0)
    optimizer = Optimizer(model, TrainConfig(schedule="cosine", learning_rate=0.5), steps=200)
    rates = []
    for _ in range(200):
        model.weight.grad = torch.ones(1, 1)
        optimizer.step()
        rates.append(optimizer.rate)
    assert rates == [0.5 * cosine(step, 200) for step in range(200)]


def test_without_more_it_is_torchs_adam() -> None:
    ours, theirs = line(1.0), line(1.0)
    optimizer, adam = Optimizer(ours, TrainConfig(), steps=3), torch.optim.Adam(theirs.parameters(), lr=1e-3)
    for gradient in (1.0, -3.0, 0.5):
        for model in (ours, theirs):
            model.weight.grad = torch.full((1, 1), gradient)
        optimizer.step()
        adam.step()
    assert torch.equal(ours.weight, theirs.weight)
    assert optimizer.best is ours
    optimizer.zero_grad()
    assert ours.weight.grad is None


def test_the_mean_of_weights_is_that_of_few_steps_first_and_exponential_later() -> None:
    model = line(0.0)
    optimizer = Optimizer(model, TrainConfig(average=0.05, learning_rate=1.0), steps=4)
    weights, means = [], []
    for _ in range(4):
        model.weight.grad = torch.ones(1, 1)
        optimizer.step()
        weights.append(model.weight.item())
        means.append(next(optimizer.best.parameters()).item())
    expected = weights[0]
    assert means[0] == expected
    for step in (1, 2, 3):
        share = min(0.05, step / (step + 20))
        expected = share * expected + (1 - share) * weights[step]
        assert means[step] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("model", ["mixer-few", "hourglass"])
def test_the_mean_has_the_bits_of_torchs(model: str) -> None:
    """Where weights are frozen, and where there are buffers."""
    config = TrainConfig(model=model, window=5, width=16, average=0.9, learning_rate=0.1)
    trained = make_model(config)
    optimizer = Optimizer(trained, config, steps=4)

    def mean(kept: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
        return kept.lerp(now, 1 - min(0.9, int(count) / (int(count) + 20)))

    theirs = AveragedModel(trained, avg_fn=mean)
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        for parameter in trained.parameters():
            if parameter.requires_grad:
                parameter.grad = torch.randn(parameter.shape, generator=generator)
        for buffer in trained.buffers():
            buffer.add_(1)
        optimizer.step()
        theirs.update_parameters(trained)
    ours, expected = optimizer.best.state_dict(), theirs.module.state_dict()
    assert ours.keys() == expected.keys()
    assert all(torch.equal(ours[name], value) for name, value in expected.items())


def test_a_mean_of_weights_goes_on_where_it_was() -> None:
    config = TrainConfig(average=0.9, learning_rate=0.1)
    whole, cut, later = line(0.0), line(0.0), line(5.0)
    first = Optimizer(whole, config, steps=6), Optimizer(cut, config, steps=6)

    def go(optimizer: Optimizer, model: torch.nn.Module, steps: int) -> None:
        for _ in range(steps):
            for parameter in model.parameters():
                parameter.grad = torch.ones(1, 1)
            optimizer.step()

    go(first[0], whole, 6)
    go(first[1], cut, 3)
    resumed = Optimizer(later, config, steps=6)
    resumed.best.load_state_dict(first[1].best.state_dict())
    resumed.restore(first[1].state())
    go(resumed, later, 3)
    assert torch.equal(next(resumed.best.parameters()), next(first[0].best.parameters()))


def test_muon_moves_inner_matrices_as_rotations_and_adam_the_rest() -> None:
    model = make_model(TrainConfig(model="mixer"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = Optimizer(model, TrainConfig(model="mixer", optimizer="muon", learning_rate=0.01), steps=1)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()
    after = model.state_dict()
    moved = after["blocks.1.layers.1.weight"] - before["blocks.1.layers.1.weight"]
    # All singular values become about 1 times the rate times 0.2 sqrt(largest side); Adam's first step is a sign.
    scale = 0.01 * 0.2 * math.sqrt(max(moved.shape))
    values = torch.linalg.svdvals(moved) / scale
    assert 0.5 < float(values.min()) < float(values.max()) < 1.4
    for name in ("embed.weight", "decode.1.weight", "blocks.0.mix.weight", "blocks.1.layers.1.bias"):
        torch.testing.assert_close((after[name] - before[name]).abs(), torch.full_like(after[name], 0.01))


def test_muon_is_for_models_of_blocks() -> None:
    config = TrainConfig(optimizer="muon")
    with pytest.raises(ChoiceError, match="--model mixer"):
        Optimizer(make_model(config), config, steps=1)


def test_muon_has_the_matrices_of_a_part_too() -> None:
    config = TrainConfig(model="mixer-few", optimizer="muon")
    model = make_model(config)
    inner = set(map(id, _matrices(model)))
    names = [name for name, parameter in model.named_parameters() if id(parameter) in inner]
    assert len(names) == 32
    assert all(name.removeprefix("few.").startswith("blocks.") for name in names)


def test_an_old_torch_has_no_muon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.optim, "Muon")
    config = TrainConfig(model="mixer", optimizer="muon")
    with pytest.raises(ChoiceError, match=r"torch 2\.9"):
        Optimizer(make_model(config), config, steps=1)


def test_the_rate_of_all_parts_is_one() -> None:
    config = TrainConfig(model="mixer", optimizer="muon")
    optimizer = Optimizer(make_model(config), config, steps=1)
    optimizer.rate *= 0.1
    groups = [part["param_groups"][0]["lr"] for name, part in optimizer.state().items() if name in ("adam", "muon")]
    assert groups == [1e-4, 1e-4]


@pytest.mark.parametrize("method", ["rmsprop", "sgd"])
def test_other_methods_are_torchs_with_the_constants_of_the_seed(method: Method) -> None:
    ours, theirs = line(1.0), line(1.0)
    optimizer = Optimizer(ours, TrainConfig(optimizer=method, learning_rate=0.1), steps=3)
    known: torch.optim.Optimizer = (
        torch.optim.RMSprop(theirs.parameters(), lr=0.1, alpha=0.99)
        if method == "rmsprop"
        else torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
    )
    for gradient in (1.0, -3.0, 0.5):
        for model in (ours, theirs):
            model.weight.grad = torch.full((1, 1), gradient)
        optimizer.step()
        known.step()
    assert torch.equal(ours.weight, theirs.weight)
    optimizer.rate = 0.02
    again = Optimizer(line(0.0), TrainConfig(optimizer=method, learning_rate=0.1), steps=3)
    again.restore(optimizer.state())
    assert again.rate == 0.02
