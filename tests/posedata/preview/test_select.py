import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.errors import BadInputError
from posedata.preview.select import draw_lots, evenly, frames_between, mean, most, typical


@pytest.mark.parametrize(
    ("first", "end", "places"),
    [(None, None, [0, 1, 2, 3]), (5, None, [1, 2, 3]), (None, 9, [0, 1]), (5, 10, [1, 2]), (0, 99, [0, 1, 2, 3])],
)
def test_frames_are_chosen_by_their_numbers(first: int | None, end: int | None, places: list[int]) -> None:
    assert frames_between(np.asarray([4, 5, 9, 10]), first, end).tolist() == places


@pytest.mark.parametrize(("first", "end"), [(6, 9), (11, None), (None, 4), (9, 5)])
def test_a_range_without_frames_is_told(first: int | None, end: int | None) -> None:
    asked = f"{'' if first is None else first}:{'' if end is None else end}"
    with pytest.raises(BadInputError, match=f"frames '{asked}': expected some of '4:11', found none"):
        frames_between(np.asarray([4, 5, 9, 10]), first, end)


@given(st.integers(1, 300), st.integers(1, 50))
def test_frames_are_evenly_spread(length: int, count: int) -> None:
    found = evenly(np.arange(length) + 7, count)
    gaps = np.diff(found)
    assert len(found) == min(count, length)
    assert found[0] == 7
    assert len(found) == 1 or (found[-1] == length + 6 and gaps.min() > 0 and gaps.max() - gaps.min() <= 1)


def test_lots_depend_on_seed_and_name_alone() -> None:
    names = [f"d/{i}" for i in range(50)]
    drawn = draw_lots(names, 8, 0)
    assert drawn.tolist() == sorted(set(drawn.tolist()))
    assert len(drawn) == 8
    assert draw_lots(names, 8, 1).tolist() != drawn.tolist()
    # Other sequences beside them change nothing between two.
    fewer = [names[n] for n in drawn.tolist()]
    assert [fewer[n] for n in draw_lots(fewer, 8, 0)] == fewer
    assert set(draw_lots(names, 4, 0).tolist()) <= set(drawn.tolist())
    assert draw_lots(names[:3], 8, 0).tolist() == [0, 1, 2]
    # By sha256sum, "0\nd/0" is 4f96..., "0\nd/1" 1f4a..., "0\nd/2" 862d...
    assert draw_lots(names[:3], 1, 0).tolist() == [1]
    assert draw_lots(names[:3], 2, 0).tolist() == [0, 1]


def test_the_most_come_first_and_nothing_last() -> None:
    assert most(np.asarray([1.0, np.nan, 3.0, 3.0, 0.0]), 9).tolist() == [2, 3, 0, 4, 1]
    assert most(np.asarray([1.0, 2.0]), 1).tolist() == [1]


def test_mean_is_of_what_is_known() -> None:
    assert mean(np.asarray([1.0, np.nan, 4.0])) == 2.5
    assert np.isnan(mean(np.full(3, np.nan)))


@pytest.mark.parametrize(
    ("measure", "frame"),
    [
        ([0.0, 10.0, 5.0, 1.0], 2),  # mean 4
        ([1.0, 1.0, 1.0, 1.0, 1.0], 2),  # all alike: the middle
        ([np.nan, 3.0, np.nan, 9.0, 7.0], 4),  # mean 6.33
        ([np.nan, np.nan, np.nan], 1),
        ([4.0], 0),
    ],
)
def test_the_typical_frame(measure: list[float], frame: int) -> None:
    assert typical(np.asarray(measure)) == frame
