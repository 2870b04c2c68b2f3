import numpy as np
import pytest
import torch

from posedata.clips.store import ClipStore
from posedata.errors import BadInputError, ChoiceError
from posetrain.clips.data import all_clips, split_clips
from posetrain.config import TrainConfig

CPU = torch.device("cpu")


def test_batches_are_the_clips_of_a_split_in_the_order_asked(store: ClipStore) -> None:
    clips = all_clips(store, "train", CPU)
    assert len(clips) == 6
    order = np.array([4, 0, 2])
    one, two = clips.batches(order, 2)
    assert np.concatenate([one.first, two.first]).tolist() == [32, 0, 16]
    numbers = store.clips("train")[order]
    np.testing.assert_array_equal(torch.cat([one.joints, two.joints]).numpy(), store.joints(numbers))
    assert one.images.shape == (2, 8, 3, 224, 224)
    pixels = torch.cat([one.images, two.images]).movedim(2, -1) * 255
    np.testing.assert_allclose(pixels.numpy(), store.images(numbers), atol=1e-4)


def test_a_training_may_see_some_alone(store: ClipStore) -> None:
    some = split_clips(TrainConfig(max_windows=2), store, "train", CPU, "auto")
    assert len(some) == 2
    assert set(some.starts.tolist()) < set(all_clips(store, "train", CPU).starts.tolist())


def test_a_split_that_is_not_there_is_refused(store: ClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChoiceError, match="'test': expected one of train, validation"):
        all_clips(store, "test", CPU)
    monkeypatch.setattr(ClipStore, "clips", lambda self, split: np.array([], np.int64))
    with pytest.raises(BadInputError, match="split train: expected clips, found none"):
        all_clips(store, "train", CPU)
