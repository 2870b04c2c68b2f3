import math

import numpy as np
import torch

from posetrain.steady import steady

NAN = float("nan")


def tracks(*points: list[float]) -> torch.Tensor:
    """(1, T, K, 2) of each keypoint's x; y is its double."""
    x = torch.tensor(points).T
    return torch.stack([x, 2 * x], dim=-1)[None]


def test_a_point_lies_on_the_line_that_numpy_fits() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=9)
    x[3] = math.nan
    found = steady(tracks(x.tolist()))[0, :, 0]
    at = np.flatnonzero(~np.isnan(x))
    for t in at:
        weights = np.exp(-((at - t) ** 2) / 4)  # numpy squares what it is given
        expected = np.polyval(np.polyfit(at, x[at], 1, w=weights), t)
        np.testing.assert_allclose(found[t], [expected, 2 * expected], atol=1e-5)
    assert found[3].isnan().all()


def test_a_steady_movement_stays_to_its_ends_and_far_from_0() -> None:
    moving = tracks((5000 + 3.25 * np.arange(33)).tolist())
    moving[0, 10:12] = NAN
    torch.testing.assert_close(steady(moving), moving, rtol=0, atol=2e-3, equal_nan=True)


def test_what_trembles_trembles_less() -> None:
    torch.manual_seed(0)
    found = steady(torch.randn(20, 40, 3, 2))
    assert 0.5 < float(found[:, 5:-5].std()) < 0.6
    assert float(found.diff(n=2, dim=1).std()) < 0.3 * math.sqrt(6)


def test_a_point_without_others_near_it_stays() -> None:
    alone = tracks([7.0, NAN, NAN, NAN, NAN, NAN, NAN, 3.0, 4.5], [NAN] * 4 + [2.0] + [NAN] * 4)
    found = steady(alone)
    torch.testing.assert_close(found, alone, rtol=0, atol=1e-5, equal_nan=True)


def test_one_frame_and_no_frames_stay() -> None:
    for frames in (0, 1):
        points = torch.ones(2, frames, 25, 2)
        assert torch.equal(steady(points), points)
