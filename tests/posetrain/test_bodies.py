import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from posedata.skeleton import INDEX
from posetrain import bodies

NAN = float("nan")


def bones(pixels: Tensor, *joints: str) -> Tensor:
    """(B, T, 2) from a joint to the next, of each of some pairs on end."""
    return torch.stack([pixels[:, :, INDEX[b]] - pixels[:, :, INDEX[a]] for a, b in pairwise(joints)])


def test_bent_limbs_hang_together_and_keep_their_angles_over_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_BENT", 1.0)
    torch.manual_seed(0)
    pixels = 50 * torch.randn(400, 3, 25, 2, dtype=torch.float64)
    pixels[:, :, INDEX["right_elbow"]] = NAN
    pixels[:, :, INDEX["left_hip"]] = NAN
    moved = bodies.bent(pixels)
    assert torch.equal(moved.isnan(), pixels.isnan())
    trunk = sorted(set(range(25)) - {i for _, hanging in bodies._HANGING for i in hanging})
    assert len(trunk) == 7  # nose, ears, shoulders, hips
    torch.testing.assert_close(moved[:, :, trunk], pixels[:, :, trunk], equal_nan=True)

    # A limb is turned and made longer as a whole, then what lies behind its middle joint once more.
    names = ("left_shoulder", "left_elbow", "left_wrist", "left_thumb")
    after, before = (torch.view_as_complex(bones(each, *names)) for each in (moved, pixels))
    upper, fore, hand = after / before
    for factor in (upper, fore):
        torch.testing.assert_close(factor, factor[:, :1].expand(-1, 3))
    torch.testing.assert_close(hand, fore)
    for factor in (upper[:, 0], fore[:, 0] / upper[:, 0]):
        assert abs(float(factor.abs().log().std()) - bodies._LONGER) < 0.05
        # The mean of exp(i a) is exp(-s^2 / 2), for angles with a standard deviation of s.
        assert abs(float((factor / factor.abs()).mean().real) - math.exp(-(bodies._BEND**2) / 2)) < 0.1
    # What hangs on a missing joint is turned about the next one that is there, and without any stays where it is.
    right = torch.view_as_complex(bones(moved, "right_shoulder", "right_wrist"))
    plain = torch.view_as_complex(bones(pixels, "right_shoulder", "right_wrist"))
    torch.testing.assert_close((right / plain)[0], (right / plain)[0, :, :1].expand(-1, 3))
    assert not torch.allclose(moved[:, :, INDEX["right_wrist"]], pixels[:, :, INDEX["right_wrist"]])
    assert torch.equal(moved[:, :, INDEX["left_knee"]], pixels[:, :, INDEX["left_knee"]])


def test_few_windows_are_bent() -> None:
    torch.manual_seed(0)
    pixels = 50 * torch.randn(4000, 2, 25, 2)
    changed = ((bodies.bent(pixels) - pixels).abs().flatten(1).amax(dim=1) > 0.01).float().mean()
    assert abs(float(changed) - bodies._BENT) < 0.015
