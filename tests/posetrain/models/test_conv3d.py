import torch

from posetrain.config import TrainConfig
from posetrain.models import count_parameters, make_model
from posetrain.models.conv3d import Conv3D


def test_it_has_as_many_parameters_as_published() -> None:
    assert count_parameters(Conv3D()) == 78_150


def test_it_is_one_convolution_over_frames_rows_and_columns() -> None:
    model = make_model(TrainConfig())
    heatmaps = torch.rand(1, 5, 25, 56, 56, generator=torch.Generator().manual_seed(1))
    refined = model(heatmaps).detach()
    assert refined.shape == heatmaps.shape
    assert float(refined.min()) >= 0
    weight, bias = (p.detach().double() for p in model.parameters())
    padded = torch.nn.functional.pad(heatmaps.double(), (2, 2, 2, 2, 0, 0, 2, 2))
    frame, joint, y, x = 3, 7, 20, 55
    patch = padded[0, frame : frame + 5, :, y : y + 5, x : x + 5].transpose(0, 1)
    expected = ((patch * weight[joint]).sum() + bias[joint]).clamp(min=0)
    torch.testing.assert_close(refined[0, frame, joint, y, x].double(), expected, rtol=1e-4, atol=1e-5)
