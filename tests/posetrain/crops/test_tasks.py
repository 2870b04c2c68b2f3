import numpy as np
import torch

from posedata.crops.store import CropStore
from posetrain.crops.data import CropBatch, all_crops
from posetrain.crops.tasks import DETECTION


def batch_of(crops: CropStore) -> CropBatch:
    (batch,) = all_crops(crops, "train", torch.device("cpu")).batches(np.arange(4), 4)
    assert not batch.labelled.all()
    return batch


def test_the_loss_is_the_masked_mean_summed_over_stacks(crops: CropStore) -> None:
    """What setting the targets of unlabelled keypoints to the prediction gives."""
    batch = batch_of(crops)
    said = torch.rand(4, 3, 17, 64, 64, generator=torch.Generator().manual_seed(0))
    target = torch.where(batch.labelled[:, None, :, None, None], batch.target[:, None], said)
    expected = sum(torch.nn.functional.mse_loss(said[:, i], target[:, i]) for i in range(3))
    torch.testing.assert_close(DETECTION.error(said, batch) / DETECTION.elements(batch), expected)


def test_what_is_said_of_an_unlabelled_keypoint_costs_nothing(crops: CropStore) -> None:
    batch = batch_of(crops)
    said = batch.target[:, None].clone()
    said[~batch.labelled[:, None]] = 7.0
    assert float(DETECTION.error(said, batch)) == 0.0


def test_the_last_stack_says_where_a_keypoint_is_the_first_cell_on_a_tie() -> None:
    said = torch.zeros(1, 2, 17, 64, 64)
    said[0, 0, :, 1, 1] = 9.0
    said[0, 1, 4, 10, 63] = 1.0
    said[0, 1, 5, 20, 3] = said[0, 1, 5, 20, 9] = 1.0
    found = DETECTION.positions(said)[0]
    assert found[4].tolist() == [63.5, 10.5]
    assert found[5].tolist() == [3.5, 20.5]
    assert found[0].tolist() == [0.5, 0.5]
