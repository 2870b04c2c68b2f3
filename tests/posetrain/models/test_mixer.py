import numpy as np
import pytest
import torch
from torch import Tensor, nn

from posedata.skeleton import PAIRS
from posetrain.config import TrainConfig
from posetrain.filters import gaussian
from posetrain.models import count_parameters, make_model
from posetrain.models.fitted import FewMixer, FittedMixer
from posetrain.models.mixer import SMOOTHERS, Mixer, _Attention, _OverTime, mirrored, noise, smoothed

NAN = float("nan")


def track(frames: int, seed: int = 0) -> Tensor:
    """Two windows with a keypoint that is never there, and others that are missing at times."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand(2, frames, 25, 2, generator=generator) - 0.5
    gone = torch.rand(2, frames, 25, generator=generator) < 0.2
    gone[:, :, 9] = True
    return points.masked_fill(gone[..., None], NAN)


def told(tracks: Tensor, corners: tuple[float, float] = (NAN, NAN)) -> Tensor:
    """Tracks, and the corners of one square for all frames: low on both axes, high on both."""
    return torch.cat([tracks, torch.tensor(corners)[:, None].expand(*tracks.shape[:2], 2, 2)], dim=2)


def model() -> Mixer:
    made = make_model(TrainConfig(model="mixer")).eval()
    assert isinstance(made, Mixer)
    return made


def test_its_weights_are_below_five_megabytes() -> None:
    assert 4 * count_parameters(model()) < 5e6


@pytest.mark.parametrize("frames", [1, 2, 5, 6, 33, 65])
def test_it_takes_windows_of_any_length(frames: int) -> None:
    with torch.no_grad():
        found = model()(told(track(frames)))
    assert found.shape == (2, frames, 25, 2)
    assert found.isfinite().all()


def test_a_window_without_any_keypoint_is_no_fault() -> None:
    with torch.no_grad():
        assert model()(torch.full((1, 5, 27, 2), NAN)).isfinite().all()


def test_half_a_missing_keypoint_is_a_missing_one() -> None:
    points = track(9)
    half = points.clone()
    points[0, 4, 3] = NAN
    half[0, 4, 3] = torch.tensor([0.4, NAN])
    with torch.no_grad():
        torch.testing.assert_close(model()(told(half)), model()(told(points)), rtol=0, atol=0)


def test_what_lies_below_a_missing_keypoint_reaches_no_prediction() -> None:
    points = track(9)
    present = ~points.isnan().any(dim=-1, keepdim=True)
    widths = torch.tensor(SMOOTHERS)
    means = [smoothed(places.where(present, 0.0), present, widths)[0] for places in (points, points.nan_to_num(7.0))]
    assert torch.equal(*means)
    points.requires_grad_(True)
    model()(told(points, (-0.4, 0.4))).square().sum().backward()
    assert points.grad is not None
    assert not points.grad[~present[..., 0]].any()
    assert points.grad[present[..., 0]].any(dim=-1).all()


def test_a_keypoint_that_is_missing_says_nothing_of_the_pose() -> None:
    """Its place is 0, which is no place, and so is the smoothed one of a keypoint that is never there."""
    net, seen = model().train(), list[Tensor]()
    net.embed.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    points = track(9) + 3.0
    with torch.no_grad():
        net(told(points))
    features = seen[0][..., :-4].unflatten(2, (25, -1))
    own, smooth, there = features.split([2, 2 * len(SMOOTHERS), 1], dim=3)
    missing = points.isnan().any(dim=-1)
    assert torch.equal(there[..., 0] == 0, missing)
    assert torch.equal((own == 0).all(dim=-1), missing)
    never = torch.zeros(25, dtype=torch.bool)
    never[9] = True
    assert torch.equal((smooth == 0).all(dim=-1), never.expand_as(missing))


def test_a_pose_in_a_mirror_is_refined_as_in_a_mirror() -> None:
    points = track(9)
    turned = points.clone()
    for left, right in PAIRS:
        turned[:, :, left], turned[:, :, right] = points[:, :, right], points[:, :, left]
    turned[..., 0] *= -1
    torch.testing.assert_close(mirrored(points), turned, equal_nan=True)
    for corners in ((NAN, NAN), (-0.4, 0.4)):
        with torch.no_grad():
            found = model()(told(turned, corners))
            torch.testing.assert_close(found, mirrored(model()(told(points, corners))))


def test_frames_and_joints_mix() -> None:
    points = track(9)
    points[0, 2, 4] = 0.1
    moved = points.clone()
    moved[0, 2, 4] += 0.2
    with torch.no_grad():
        change = (model()(told(moved)) - model()(told(points))).abs().amax(dim=-1)
    assert (change[0] > 1e-6).all()
    assert not change[1].any()


def test_attention_is_that_of_torch_with_a_weight_that_falls_by_distance() -> None:
    torch.manual_seed(0)
    attend, tokens = _Attention(), torch.randn(2, 9, 192)
    query, key, value = (
        part.unflatten(2, (6, -1)).transpose(1, 2) for part in attend.ask(tokens).split([96, 96, 192], dim=2)
    )
    frames = torch.arange(9)
    falls = -(frames[:, None] - frames).abs() / torch.tensor([2.0, 4.0, 8.0, 16.0, 32.0, 64.0])[:, None, None]
    known = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=falls)
    torch.testing.assert_close(attend(tokens), attend.tell(known.transpose(1, 2).flatten(2)))


def test_frames_mix_by_both_a_convolution_and_attention() -> None:
    over, tokens = _OverTime(), torch.randn(2, 9, 192)
    seen = over.norm(tokens)
    torch.testing.assert_close(over(tokens), tokens + over.mix(seen.mT).mT + over.attend(seen))
    over(tokens).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in over.parameters())


def test_a_network_that_says_nothing_leaves_the_mean_of_the_smoothers() -> None:
    points = 0.2 * track(17)
    with torch.no_grad():
        means, seen = smoothed(
            points.nan_to_num(0.0), ~points.isnan().any(dim=-1, keepdim=True), torch.tensor(SMOOTHERS)
        )
        net = model()
        for parameter in net.decode.parameters():  # type: ignore[union-attr]
            torch.nn.init.zeros_(parameter)
        found = net(told(points))
    there = seen[..., 0].all(dim=-1)
    torch.testing.assert_close(found[there], means.mean(dim=-2)[there], rtol=0, atol=1e-5)


def test_smoothers_are_gaussians_over_what_is_there() -> None:
    points = track(11)
    means, seen = smoothed(points.nan_to_num(0.0), ~points.isnan().any(dim=-1, keepdim=True), torch.tensor(SMOOTHERS))
    for number, sigma in enumerate(SMOOTHERS):
        # The filter's weights end at four sigma and it leaves gaps.
        expected = gaussian(points.double().numpy(), sigma)
        there = ~np.isnan(expected)
        np.testing.assert_allclose(means[..., number, :].numpy()[there], expected[there], atol=2e-4)
    assert not seen[:, :, 9].any()
    assert not means[:, :, 9].any()


def test_what_is_too_far_away_for_a_smoother_is_not_seen() -> None:
    """Four frames on a weight of exp(-12.5) is left, five frames on one of exp(-19.5), below a millionth."""
    places, present = torch.zeros(1, 10, 25, 2), torch.zeros(1, 10, 25, 1, dtype=torch.bool)
    places[0, 0, 3], present[0, 0, 3] = 0.5, True
    means, seen = smoothed(places, present, torch.tensor([0.8]))
    assert seen[0, :, 3, 0, 0].tolist() == [True] * 5 + [False] * 5
    torch.testing.assert_close(means[0, :, 3, 0, 0], torch.tensor([0.5] * 5 + [0.0] * 5))


def test_noise_is_measured_in_its_standard_deviation() -> None:
    generator = torch.Generator().manual_seed(0)
    still = torch.rand(1, 1, 25, 2, generator=generator) + 0.03 * torch.randn(1, 400, 25, 2, generator=generator)
    present = torch.rand(1, 400, 25, 1, generator=generator) < 0.9
    assert float(noise(still * present, present)) == pytest.approx(0.03, rel=0.05)
    assert float(noise(still[:, :2], present[:, :2])) == pytest.approx(0.001)


def test_in_training_only_the_window_itself_is_refined() -> None:
    net, points = model(), told(track(12), (-0.4, 0.4))
    with torch.no_grad():
        both, once = net(points), net.train()(points)
        other = mirrored(net(mirrored(points)))
    torch.testing.assert_close((once + other) / 2, both)


@pytest.mark.parametrize("net", [Mixer, FittedMixer, FewMixer])
def test_constants_go_where_the_weights_go_and_are_not_saved(net: type[nn.Module]) -> None:
    """Else each step sends them, and a GPU waits."""
    made = net()
    assert made.state_dict().keys() == {name for name, _ in made.named_parameters()}
    assert torch.equal(next(made.buffers()), torch.tensor(SMOOTHERS))
    assert {buffer.device.type for buffer in made.to("meta").buffers()} == {"meta"}
