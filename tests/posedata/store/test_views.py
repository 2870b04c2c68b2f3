from pathlib import Path

import numpy as np
import pytest

from posedata.heatmaps import decode
from posedata.store import views
from posedata.store.reader import open_store
from posedata.store.views import input_peaks, input_positions, sequence_names


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_peaks_are_those_of_the_heatmaps(name: str, stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_BLOCK", 7)
    store = open_store(stores[name])
    frames = np.arange(len(store))[::-3]
    heatmaps = store.frames("input_heatmaps", frames)
    there = heatmaps.any(axis=(-2, -1))[..., None]
    expected = np.where(there, decode(heatmaps), np.nan)
    np.testing.assert_array_equal(input_peaks(store, frames), expected)
    found = input_positions(store, frames)
    if name == "climbalong":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_array_equal(found, np.where(there, store["input_cells"][frames] + 0.5, np.nan))
        assert (found != expected)[there[..., 0]].any()  # reflection at the border moves some peaks


def test_names_are_of_dataset_and_sequence(stores: dict[str, Path]) -> None:
    names = sequence_names(open_store(stores["speed21"]))
    assert names == sorted(set(names))
    assert all(name.startswith("speed21/") for name in names)
