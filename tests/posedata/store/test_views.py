import re
from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.heatmaps import decode
from posedata.store import views
from posedata.store.reader import open_store
from posedata.store.views import find_sequence, input_peaks, input_positions, sequence_frames, sequence_names

NAMES = ["brace/intro", "penn_action/0001", "penn_action/0002", "penn_action/intro"]


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


@pytest.mark.parametrize(("wanted", "number"), [("penn_action/0002", 2), ("0001", 1), ("brace/intro", 0)])
def test_a_sequence_is_found_by_either_name(wanted: str, number: int) -> None:
    assert find_sequence(NAMES, wanted) == number


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("intro", "expected the name of one, found several: brace/intro, penn_action/intro"),
        ("0003", "found no such; near it: penn_action/0002, penn_action/0001"),
        ("penn_actoin/0001", "found no such; near it: penn_action/0001"),
        ("1", "found no such; near it: penn_action/0001"),
        ("xyz", "found no such; among 4: brace/intro, penn_action/0001"),
    ],
)
def test_a_name_that_fits_none_or_several_is_told(wanted: str, message: str) -> None:
    with pytest.raises(BadInputError, match=f"^sequence {wanted}: .*{re.escape(message)}"):
        find_sequence(NAMES, wanted)


def test_frames_of_a_sequence_are_those_that_the_table_gives_it(stores: dict[str, Path]) -> None:
    store = open_store(stores["penn_action"])
    for number, name in enumerate(sequence_names(store)):
        found = sequence_frames(store, name)
        assert found.tolist() == sequence_frames(store, name.partition("/")[2]).tolist()
        assert found.tolist() == np.flatnonzero(store.frame_sequence == number).tolist()
