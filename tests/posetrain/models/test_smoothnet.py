import torch

from posetrain.config import TrainConfig
from posetrain.models import make_model


def test_joints_and_axes_share_one_perceptron_and_do_not_mix() -> None:
    model = make_model(TrainConfig(model="smoothnet")).eval()
    points = torch.rand(1, 5, 25, 2, generator=torch.Generator().manual_seed(0))
    points[0, :, 3, 1] = points[0, :, 9, 0]
    with torch.no_grad():
        smoothed = model(points)
        torch.testing.assert_close(smoothed[0, :, 3, 1], smoothed[0, :, 9, 0])
        points[0, :, 4] += 1
        changed = (model(points) - smoothed).abs().amax(dim=(0, 1, 3)) > 1e-6
    assert changed.tolist() == [joint == 4 for joint in range(25)]
