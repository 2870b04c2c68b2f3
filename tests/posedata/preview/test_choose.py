from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.preview import choose
from posedata.preview.choose import Wanted, chosen_frames
from posedata.preview.scenes import missing, noise
from posedata.progress import silent
from posedata.store.reader import Store, open_store
from posedata.store.views import sequence_names


@pytest.fixture(params=["penn_action", "climbalong"])
def store(request: pytest.FixtureRequest, stores: dict[str, Path]) -> Store:
    return open_store(stores[request.param])


def frames(store: Store, spread: bool = False, **wanted: object) -> list[int]:
    return chosen_frames(store, Wanted(**wanted), spread, silent).tolist()  # type: ignore[arg-type]


def places(store: Store, number: int) -> list[int]:
    start = int(store["sequence_start"][number])
    return list(range(start, start + int(store["sequence_length"][number])))


def test_a_film_has_all_frames_of_the_sequence(store: Store) -> None:
    for number, name in enumerate(sequence_names(store)):
        assert frames(store, sequence=name) == places(store, number)


def test_a_sheet_has_some_evenly_spread(store: Store) -> None:
    name, own = sequence_names(store)[1], places(store, 1)
    found = frames(store, spread=True, sequence=name, count=4)
    assert (found[0], found[-1], len(found)) == (own[0], own[-1], 4)
    assert frames(store, spread=True, sequence=name, count=1000) == own


def test_a_range_is_of_numbers_in_the_source(store: Store) -> None:
    numbers = store["frame_number"]
    name, own = sequence_names(store)[1], places(store, 1)
    first = int(numbers[own[5]])
    found = frames(store, sequence=name, first=first, end=first + 3)
    assert found == [at for at in own if first <= numbers[at] < first + 3]
    with pytest.raises(BadInputError, match="found none"):
        frames(store, sequence=name, first=10**6)


def test_many_sequences_give_a_frame_each(store: Store) -> None:
    for pick in ("random", "noisiest", "most-missing"):
        found = store.frame_sequence[frames(store, pick=pick, count=3)]
        assert len(set(found.tolist())) == 3
    everything = store.frame_sequence[frames(store, count=100)].tolist()
    assert everything == list(range(len(store["sequence_name"])))


def test_a_random_pick_is_the_seeds(store: Store) -> None:
    drawn = {seed: frames(store, count=2, seed=seed) for seed in range(8)}
    assert frames(store, count=2, seed=3) == drawn[3]
    assert len({tuple(found) for found in drawn.values()}) > 1


@pytest.mark.parametrize("pick", ["noisiest", "most-missing"])
def test_a_pick_begins_with_the_worst_and_shows_its_typical_frame(
    pick: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choose, "SHARD_FRAMES", 17)
    measure = {"noisiest": noise, "most-missing": missing}[pick](store, np.arange(len(store)))
    each = [measure[places(store, number)] for number in range(len(store["sequence_name"]))]
    means = [float(np.nanmean(part)) for part in each]
    found = frames(store, pick=pick, count=100)
    order = store.frame_sequence[found].tolist()
    assert [means[n] for n in order] == sorted(means, reverse=True)
    for at, number in zip(found, order, strict=True):
        assert abs(measure[at] - means[number]) == np.nanmin(np.abs(each[number] - means[number]))
