import pytest
import torch

from posedata.errors import ChoiceError
from posetrain.config import TrainConfig
from posetrain.models import make_model


def test_the_step_must_reach_the_last_frame() -> None:
    with pytest.raises(ChoiceError, match=r"--sampling-step 3: expected a divisor of window - 1 = 4"):
        make_model(TrainConfig(model="deciwatch", sampling_step=3))


@pytest.mark.parametrize(("step", "sampled"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (4, [0, 4])])
def test_only_sampled_frames_matter(step: int, sampled: list[int]) -> None:
    model = make_model(TrainConfig(model="deciwatch", sampling_step=step)).eval()
    points = torch.rand(1, 5, 25, 2, generator=torch.Generator().manual_seed(0))
    before = model(points)
    for frame in range(5):
        moved = points.clone()
        moved[0, frame] += 0.1
        assert torch.equal(model(moved), before) == (frame not in sampled)


def test_positions_are_sines_and_cosines() -> None:
    from posetrain.models.deciwatch import _with_places

    places = _with_places(torch.zeros(1, 3, 128))[0]
    assert places[0].tolist() == [0.0, 1.0] * 64
    assert float(places[2, 6]) == pytest.approx(float(torch.tensor(2 / 10000 ** (6 / 128)).sin()))
    assert float(places[2, 7]) == pytest.approx(float(torch.tensor(2 / 10000 ** (6 / 128)).cos()))
