"""Heatmaps of a store on a device."""

import numpy as np
import pytest
import torch

from posedata.store.reader import Store
from posetrain.sources import sources


def test_what_goes_wrong_on_a_device_is_no_fault_of_the_store(noisy: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(rows: object) -> None:
        raise torch.OutOfMemoryError("full")

    source = sources(noisy, torch.device("cpu"), "store")["input_heatmaps"]
    monkeypatch.setattr(torch, "from_numpy", full)
    with pytest.raises(torch.OutOfMemoryError, match=r"^full$"):
        source.heatmaps(np.arange(3))
