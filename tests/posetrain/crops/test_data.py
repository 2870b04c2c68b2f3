import numpy as np
import pytest
import torch

from posedata.crops.store import CropStore
from posedata.errors import BadInputError, ChoiceError
from posetrain.config import TrainConfig
from posetrain.crops.data import all_crops, split_crops
from posetrain.team import Team

CPU = torch.device("cpu")


def test_a_batch_is_pixels_less_the_mean_colour_and_rendered_heatmaps(crops: CropStore) -> None:
    samples = all_crops(crops, "train", CPU)
    (batch,) = samples.batches(np.asarray([3, 0]), 2, ("input", "target"))
    assert batch.first.tolist() == crops.positions("train")[[3, 0]].tolist()
    pixels = crops["crop"][batch.first].astype(np.float64)
    expected = (pixels - crops.mean_rgb).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(batch.input.numpy(), expected, atol=1e-4)
    assert batch.input.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(batch.target.numpy(), crops.heatmaps(batch.first))
    assert batch.target.shape == (2, 17, 64, 64)
    np.testing.assert_array_equal(batch.labelled.numpy(), crops["visibility"][batch.first] > 0)


def test_nothing_is_read_that_is_not_asked_for(crops: CropStore) -> None:
    (batch,) = all_crops(crops, "train", CPU).batches(np.arange(2), 2)
    assert not {"input", "target"} & vars(batch).keys()


def test_a_team_shares_every_batch(crops: CropStore) -> None:
    samples = all_crops(crops, "train", CPU)
    parts = [[batch.first.tolist() for batch in samples.batches(np.arange(7), 4, (), Team(rank, 2))] for rank in (0, 1)]
    mine = samples.starts.tolist()
    assert parts == [[mine[0:2], mine[4:6]], [mine[2:4], mine[6:7]]]


def test_the_seed_chooses_crops_in_the_order_of_the_store(crops: CropStore) -> None:
    chosen = split_crops(TrainConfig(max_windows=5, seed=3), crops, "train", CPU, "auto").starts
    assert len(chosen) == 5
    assert (np.diff(chosen) > 0).all()
    assert set(chosen.tolist()) <= set(crops.positions("train").tolist())
    other = split_crops(TrainConfig(max_windows=5, seed=4), crops, "train", CPU, "auto").starts
    assert other.tolist() != chosen.tolist()


def test_a_split_that_is_not_there_or_empty_is_told(crops: CropStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChoiceError, match="train, validation, test"):
        all_crops(crops, "held_out", CPU)
    monkeypatch.setattr(CropStore, "positions", lambda self, split: np.zeros(0, np.int64))
    with pytest.raises(BadInputError, match="split test: expected crops, found none"):
        all_crops(crops, "test", CPU)
