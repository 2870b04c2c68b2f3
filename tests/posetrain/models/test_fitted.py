import pytest
import torch
from torch import Tensor

from posedata.errors import ChoiceError
from posetrain.config import TrainConfig
from posetrain.models import make_model
from posetrain.models.fitted import FEW, FewMixer, FittedMixer, twice
from posetrain.models.mixer import mirrored

NAN = float("nan")
CORNERS = (-0.4, 0.3)


def window(corners: tuple[float, float] = CORNERS, frames: int = FEW + 1) -> Tensor:
    """Two windows of tracks, in one square for all frames: low on both axes, high on both."""
    points = torch.rand(2, frames, 25, 2, generator=torch.Generator().manual_seed(0)) - 0.5
    points[:, :, 9] = NAN
    return torch.cat([points, torch.tensor(corners)[:, None].expand(2, frames, 2, 2)], dim=2)


@pytest.fixture
def net() -> FittedMixer:
    made = make_model(TrainConfig(model="mixer-fitted"))
    assert isinstance(made, FittedMixer)
    return made


def test_its_weights_are_below_five_megabytes(net: FittedMixer) -> None:
    assert 4 * sum(parameter.numel() for parameter in net.parameters()) < 5e6


def test_where_no_square_is_known_it_is_the_mixer_that_it_began_with(net: FittedMixer) -> None:
    mixer = make_model(TrainConfig(model="mixer"))
    names = mixer.state_dict().keys()
    mixer.load_state_dict({name: value for name, value in net.state_dict().items() if name in names})
    unknown, some = window((NAN, NAN)), window()
    some[:, 3:, 25:] = NAN
    with torch.no_grad():
        for training in (True, False):
            net.train(training)
            mixer.train(training)
            assert torch.equal(net(unknown), mixer(unknown))
            change = (net(some) - mixer(some)).abs().amax(dim=(0, 2, 3))
            assert torch.nonzero(change).flatten().tolist() == [0, 1, 2]


def test_a_keypoint_may_be_put_to_a_side(net: FittedMixer) -> None:
    torch.nn.init.zeros_(net.side[1].weight)  # type: ignore[arg-type]
    with torch.no_grad():
        net.side[1].bias.zero_().view(25, 2, 3)[4] = torch.tensor([[0.0, 50.0, 0.0], [0.0, 0.0, 50.0]])  # type: ignore[operator, union-attr]
        found = net(window())
    torch.testing.assert_close(found[:, :, 4], torch.tensor(CORNERS).expand(2, 9, 2))


def test_a_keypoint_that_is_missing_is_near_no_side(net: FittedMixer) -> None:
    seen = list[Tensor]()
    net.fit.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    points = window()
    points[0, 3, 4] = NAN
    with torch.no_grad():
        net(points)
    distances = seen[0][..., -4 * 25 :].unflatten(2, (25, 4))
    assert torch.equal((distances == 0).all(dim=-1), points[:, :, :25].isnan().any(dim=-1))


def test_either_diagonal_tells_the_square_and_a_mirror_turns_it(net: FittedMixer) -> None:
    points = window()
    other = points.clone()
    other[:, :, 25:, 0] = points[:, :, 25:, 0].flip(2)
    with torch.no_grad():
        found = net.eval()(points)
        torch.testing.assert_close(net(other), found)
        torch.testing.assert_close(net(mirrored(points)), mirrored(found))


def test_training_moves_the_fit_alone(net: FittedMixer) -> None:
    net(window()).nan_to_num().square().sum().backward()
    moved = {name for name, parameter in net.named_parameters() if parameter.grad is not None and parameter.grad.any()}
    own = {name for name, _ in net.named_parameters() if name.split(".")[0] in ("norm", "fit", "side")}
    assert moved == own


@pytest.fixture
def few(net: FittedMixer) -> FewMixer:
    """It has a copy that has learned something else than the rest."""
    made = make_model(TrainConfig(model="mixer-few", seed=1))
    assert isinstance(made, FewMixer)
    weights = dict(made.state_dict())
    made.load_state_dict({**weights, **net.state_dict()})
    return made.eval()


def test_with_its_copy_it_is_below_five_megabytes_of_sixteen_bits(few: FewMixer) -> None:
    assert 2 * sum(parameter.numel() for parameter in few.parameters()) < 4.98e6


def test_a_copy_is_for_few_frames_in_known_squares(net: FittedMixer, few: FewMixer) -> None:
    net.eval()
    with torch.no_grad():
        for corners in (CORNERS, (NAN, NAN)):
            assert torch.equal(few(window(corners)), net(window(corners)))
        unknown, told = window((NAN, NAN), FEW), window(frames=FEW)
        assert torch.equal(few(unknown), net(unknown))
        torch.testing.assert_close(few(told), few.few(told))
        assert not torch.allclose(few(told), net(told), atol=1e-2)
        some = told.clone()
        some[0, 2:, 25:] = NAN  # known in two frames alone
        some[1, 3] = NAN  # nobody in one
        torch.testing.assert_close(few(some)[0], net(some)[0])
        torch.testing.assert_close(few(some)[1], few.few(some)[1])
        assert not torch.allclose(few(some)[1], net(some)[1], atol=1e-2)


def test_few_frames_are_eight_at_most() -> None:
    assert isinstance(make_model(TrainConfig(model="mixer-few", window=8)), FewMixer)
    with pytest.raises(ChoiceError, match="--window 9: expected at most 8 with mixer-few"):
        make_model(TrainConfig(model="mixer-few", window=9))


def test_a_copy_begins_as_what_it_copies(net: FittedMixer, few: FewMixer) -> None:
    net.eval()
    few.load_state_dict(twice(net.state_dict()))
    told = window(frames=FEW)
    with torch.no_grad():
        torch.testing.assert_close(few(told), net(told))


@pytest.mark.parametrize("corners", [CORNERS, (NAN, NAN)])
def test_training_moves_the_copy_alone(few: FewMixer, corners: tuple[float, float]) -> None:
    few.train()(window(corners, FEW)).nan_to_num().square().sum().backward()
    moved = {name for name, parameter in few.named_parameters() if parameter.grad is not None and parameter.grad.any()}
    fit = ("few.norm", "few.fit", "few.side")
    own = [name for name, _ in few.named_parameters() if name.startswith("few.")]
    assert moved == {name for name in own if corners == CORNERS or not name.startswith(fit)}
