from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posetrain.report.showing import picked, sheet


def test_the_best_come_first_and_of_the_worst_the_worst() -> None:
    errors = np.asarray([5.0, np.nan, 1, 9, 3, 7, 2, 8, 4, 6])  # nine that are known
    found = {name: errors[numbers].tolist() for name, numbers in picked(errors, 2).items()}
    assert found == {"best": [1, 2], "middle": [4, 5], "worst": [9, 8]}
    assert errors[picked(errors, 1)["middle"]] == 5  # the median


def test_what_nobody_knows_is_not_shown() -> None:
    assert picked(np.asarray([np.nan, np.nan]), 3) == {}
    assert picked(np.zeros(0), 3) == {}
    assert {name: numbers.tolist() for name, numbers in picked(np.asarray([np.nan, 1]), 3).items()} == {"best": [1]}


@given(hnp.arrays(float, st.integers(0, 30), elements=st.floats(0, 5) | st.just(np.nan)), st.integers(1, 6))
def test_none_is_shown_twice_and_their_order_is_that_of_their_errors(errors: np.ndarray, each: int) -> None:
    found = picked(errors, each)
    numbers = np.concatenate([np.zeros(0, int), *found.values()])
    known = int((~np.isnan(errors)).sum())
    assert len(set(numbers.tolist())) == len(numbers) == sum(min(each, len(p)) for p in np.array_split(range(known), 3))
    groups = [errors[numbers] for numbers in found.values()]
    assert all(low.max() <= high.min() for low, high in pairwise(groups))


def test_groups_stand_below_their_names_no_wider_than_they_must_be() -> None:
    tile = np.full((10, 50, 3), 200, np.uint8)
    drawn = sheet({"best": [tile] * 3, "worst": [tile]}, 2)
    assert drawn.shape == (22 + (22 + 20) + (22 + 10), 2 * 50, 3)
    assert (drawn[44:54] == 200).all()
    for rows in (slice(54, 64), slice(-10, None)):  # the third of the best, the only one of the worst
        assert (drawn[rows, :50] == 200).all()
        assert not (drawn[rows, 50:] == 200).any()
    assert sheet({"best": [tile]}, 2).shape[1] == 50
