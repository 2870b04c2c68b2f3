from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posedata.errors import BadInputError
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.history import load_best
from posetrain.tasks import SMOOTH_POINTS
from posetrain.trained import Trained, find_trained
from posetrain.training import train

CPU = torch.device("cpu")


@pytest.mark.parametrize(("window", "at_once"), [(1, 33), (9, 33), (99, 99)])
def test_a_model_for_any_window_sees_more_of_a_sequence(window: int, at_once: int) -> None:
    found = Trained("mixer", lambda points: points, SMOOTH_POINTS, window, True, 1, 1)
    assert (found.shortest, found.at_once) == (1, at_once)
    found = replace(found, any_window=False)
    assert (found.shortest, found.at_once) == (window, window)


def test_a_name_becomes_a_model(noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    config = TrainConfig(model="smoothnet", window=7, frame_step=2, epochs=2, max_windows=4, batch_size=4)
    train(config, noisy, tmp_path / "runs" / "mine", device=CPU)
    found = find_trained("mine", CPU)
    epoch, weights = load_best(tmp_path / "runs" / "mine")
    assert (found.model, found.epoch, found.window, found.shortest, found.frame_step) == ("smoothnet", epoch, 7, 7, 2)
    assert found.task is SMOOTH_POINTS
    assert isinstance(found.refine, torch.nn.Module)
    assert not found.refine.training
    assert all(torch.equal(weights[name], value) for name, value in found.refine.state_dict().items())
    np.testing.assert_array_equal(found.seen, noisy["annotated"].any(axis=0))
    with pytest.raises(BadInputError, match="yours: expected a run there or in"):
        find_trained("yours", CPU)
