from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata import open_store
from posedata import portrait as module
from posedata.geometry import cell_centres
from posedata.heatmaps import peaks
from posedata.portrait import picture
from posedata.sketch import sketch
from posedata.store.arrays import stored_arrays


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_targets_and_what_is_given_are_drawn(stores: dict[str, Path], name: str) -> None:
    store = open_store(stores[name])
    arrays = stored_arrays(store.path, store.attributes)
    frames = module._telling_frames(arrays)
    given = cell_centres(store["input_cells"][frames]) if name == "brace" else peaks(store["input_heatmaps"][frames])
    assert picture(arrays) == sketch(store["target_points"][frames].astype(float), given)


def test_of_sequences_from_all_over_the_first_frame_that_shows_most() -> None:
    lengths = np.arange(3, 23)
    annotated = np.zeros((lengths.sum(), 25), bool)
    starts = np.cumsum(lengths) - lengths
    for number, start in enumerate(starts):
        annotated[start, 0] = True
        annotated[[start + 1, start + 2], :3] = number % 2 == 0  # of every other sequence more is seen later
    arrays: Any = {"sequence_length": lengths, "annotated": annotated}
    found = module._telling_frames(arrays)
    chosen = np.searchsorted(starts, found, side="right") - 1
    assert chosen.tolist() == [0, 3, 5, 8, 11, 14, 16, 19]
    assert (found - starts[chosen]).tolist() == [1 if number % 2 == 0 else 0 for number in chosen]


def test_a_store_of_few_sequences_shows_each_once() -> None:
    arrays: Any = {"sequence_length": np.array([4, 2]), "annotated": np.ones((6, 25), bool)}
    assert module._telling_frames(arrays).tolist() == [0, 4]
