"""Pixels of pictures by hand. Of a cell of `scale` pixels, the middle is half that from its edges."""

import numpy as np
import pytest

from posedata.preview.colours import GROUND, INK, KEYPOINT_COLOURS, LIMB_COLOURS, PAPER, PEAK, SIDES, lighter
from posedata.preview.draw import (
    GAP,
    LINE_HEIGHT,
    bordered,
    disc,
    dots,
    grid,
    ground,
    header,
    line,
    panels,
    skeleton,
    stroke,
    subpixels,
    tile,
    titled,
)
from posedata.skeleton import INDEX, LIMBS, K

from .conftest import scene_of

NOSE, EAR = INDEX["nose"], INDEX["left_ear"]
LIMB = LIMBS.index((EAR, NOSE))


def black(scale: int) -> np.ndarray:  # type: ignore[type-arg]
    return np.zeros((56 * scale, 56 * scale, 3), np.uint8)


def points(scale: int, **places: tuple[float, float]) -> np.ndarray:  # type: ignore[type-arg]
    """Grid positions as pixels."""
    found = np.full((K, 2), np.nan)
    for name, place in places.items():
        found[INDEX[name]] = place
    return found * scale


def shown(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:  # type: ignore[type-arg]
    """(n, 2) x y of the pixels of a colour."""
    return np.argwhere((picture == np.asarray(colour)).all(axis=-1))[:, ::-1]


def test_ground_has_a_square_a_cell() -> None:
    heat = np.zeros((56, 56))
    heat[3, 10], heat[55, 0] = 1.0, 0.5
    picture = ground(heat, 4)
    assert (picture.shape, picture.dtype) == ((224, 224, 3), np.uint8)
    assert sorted(map(tuple, shown(picture, PEAK).tolist())) == [(x, y) for x in range(40, 44) for y in range(12, 16)]
    half = tuple(round((a + b) / 2) for a, b in zip(GROUND, PEAK, strict=True))
    assert np.abs(picture[220:, :4].astype(int) - half).max() <= 1
    assert len(shown(picture, GROUND)) == 224 * 224 - 2 * 16


def test_places_are_sixteenths_of_a_pixel_from_the_middle_of_the_first() -> None:
    assert subpixels(np.asarray([[0.5, 0.5], [0.0, 2.0], [10.25, 3.53], [np.nan, np.nan]])) == [
        [0, 0],
        [-8, 24],
        [156, 48],
        [-8, -8],
    ]


def test_a_stroke_runs_from_end_to_end() -> None:
    drawn = black(1)
    stroke(drawn, *subpixels(np.asarray([[10.5, 20.5], [30.5, 20.5]])), INK, 1)
    x, y = np.nonzero(drawn[..., 0].T > 100)
    assert (x.min(), x.max(), set(y)) == (10, 30, {20})


def test_a_disc_is_full_and_a_ring_is_not() -> None:
    (middle,) = subpixels(np.asarray([[20.5, 30.5]]))
    full, ring = black(1), black(1)
    disc(full, middle, 4.0, INK)
    disc(ring, middle, 4.0, INK, filled=False)
    for drawn in (full, ring):
        x, y = np.nonzero(drawn[..., 0].T)
        assert abs(x.min() + x.max() - 40) <= 1
        assert abs(y.min() + y.max() - 60) <= 1
        assert 4 <= (x.max() - x.min()) / 2 <= 5
    assert tuple(full[30, 20]) == INK
    assert not ring[29:32, 19:22].any()


@pytest.mark.parametrize("scale", [5, 8])
@pytest.mark.parametrize("place", [(10.5, 20.5), (10.0, 20.0), (33.25, 7.75)])
def test_a_point_is_centred_on_its_grid_position(scale: int, place: tuple[float, float]) -> None:
    weight = skeleton(black(scale), points(scale, left_knee=place), scale).sum(axis=-1).astype(float)
    y, x = np.indices(weight.shape) + 0.5
    centre = np.asarray([(weight * x).sum(), (weight * y).sum()]) / weight.sum() / scale
    assert np.abs(centre - place).max() < 0.03


def test_a_limb_joins_its_points_in_its_colour() -> None:
    nose, ear = (10.5, 20.5), (30.5, 20.5)
    picture = skeleton(black(8), points(8, nose=nose, left_ear=ear), 8)
    between = picture[:, int(20.5 * 8)].sum(axis=-1) / sum(LIMB_COLOURS[LIMB])
    assert picture[164, int(20.5 * 8)].tolist() == list(LIMB_COLOURS[LIMB])
    assert ((between > 0) & (between < 1)).any()  # smooth at its edges
    assert (between * (np.arange(448) + 0.5)).sum() / between.sum() == pytest.approx(20.5 * 8, abs=0.3)
    assert picture[164, 84].tolist() == list(KEYPOINT_COLOURS[NOSE])
    assert picture[164, 244].tolist() == list(KEYPOINT_COLOURS[EAR])


def test_the_lighter_skeleton_is_thinner() -> None:
    place = points(8, nose=(10.5, 20.5), left_ear=(30.5, 20.5))
    strong, light = skeleton(black(8), place, 8), skeleton(black(8), place, 8, light=True)
    assert light[164, 84].tolist() == list(lighter(KEYPOINT_COLOURS[NOSE]))
    assert light[164, 164].tolist() == list(lighter(LIMB_COLOURS[LIMB]))
    assert (light[:, 164].any(axis=-1)).sum() < (strong[:, 164].any(axis=-1)).sum()


def test_a_skeleton_may_have_one_colour() -> None:
    place = points(8, nose=(10.5, 20.5), left_ear=(30.5, 20.5))
    picture = skeleton(black(8), place, 8, colour=(9, 80, 200))
    for x in (84, 164, 244):
        assert picture[164, x].tolist() == [9, 80, 200]


def test_dots_are_faint_and_have_no_limbs() -> None:
    below = np.full_like(black(8), 50)
    picture = dots(below, points(8, nose=(10.5, 20.5), left_ear=(30.5, 20.5)), 8)
    expected = 0.6 * np.asarray(lighter(KEYPOINT_COLOURS[NOSE])) + 0.4 * 50
    assert np.abs(picture[164, 84] - expected).max() <= 1
    assert picture[164, 164].tolist() == [50, 50, 50]
    assert (below == 50).all()


def test_a_missing_end_leaves_the_limb_out() -> None:
    picture = skeleton(black(5), points(5, left_ear=(30.5, 20.5)), 5)
    assert picture.any()
    assert not picture[:, : 28 * 5].any()
    assert not skeleton(black(5), np.full((K, 2), np.nan), 5).any()


def test_the_picture_below_a_skeleton_is_left_as_it_was() -> None:
    below = black(5)
    skeleton(below, points(5, nose=(5.0, 5.0)), 5)
    assert not below.any()


def test_points_on_the_border_are_drawn() -> None:
    picture = skeleton(black(5), points(5, nose=(0.0, 0.0), left_ear=(56.0, 56.0)), 5)
    assert picture[0, 0].tolist() == list(KEYPOINT_COLOURS[NOSE])
    assert picture[-1, -1].tolist() == list(KEYPOINT_COLOURS[EAR])


def test_panels_show_the_target_and_the_input_over_it() -> None:
    """The input stands ten cells to the right of the target."""
    scene = scene_of({NOSE: (10.5, 20.5)}, shift=10)
    picture = panels(scene, 5)
    assert picture.shape == (280, 560 + GAP, 3)
    target, between, seen = picture[:, :280], picture[:, 280 : 280 + GAP], picture[:, 280 + GAP :]
    strong, light = KEYPOINT_COLOURS[NOSE], lighter(KEYPOINT_COLOURS[NOSE])
    at = (slice(100, 105), slice(50, 55))
    moved = (slice(100, 105), slice(100, 105))
    assert len(shown(target[at], strong)) > 5
    assert len(shown(seen[at], strong)) > 5
    assert len(shown(seen[moved], light)) > 2
    assert len(shown(target, light)) == 0
    assert (between == PAPER).all()
    # The heatmap of the target has sigma 1, that of the input 2: three cells off they are so bright.
    for panel, x, sigma in ((target, 13, 1.0), (seen, 23, 2.0)):
        expected = [g + np.exp(-4.5 / sigma**2) * (p - g) for g, p in zip(GROUND, PEAK, strict=True)]
        assert np.abs(panel[102, x * 5 + 2] - expected).max() <= 1


def test_a_tile_tells_its_frame_below_its_panels() -> None:
    scene = scene_of({NOSE: (10.5, 20.5)})
    picture = tile(scene, 5)
    assert picture.shape == (280 + LINE_HEIGHT + 2 * GAP, 560 + 3 * GAP, 3)
    assert np.array_equal(picture[GAP : GAP + 280, GAP:-GAP], panels(scene, 5))
    words = picture[GAP + 280 : -GAP, GAP:-GAP]
    right = "frame 7, train, 24 of 25 missing"
    assert np.array_equal(words, line(560 + GAP, ("d/one", INK), right=right))


@pytest.mark.parametrize(
    ("there", "words"), [(0, "no keypoint"), (1, "24 of 25 missing"), (24, "1 of 25 missing"), (25, "none missing")]
)
def test_a_tile_counts_what_is_missing(there: int, words: str) -> None:
    picture = tile(scene_of(dict.fromkeys(range(there), (20.0, 20.0)), split="no split"), 5)
    told = picture[GAP + 280 : -GAP, GAP:-GAP]
    assert np.array_equal(told, line(told.shape[1], ("d/one", INK), right=f"frame 7, no split, {words}"))


def test_tiles_lie_in_rows_and_empty_places_are_paper() -> None:
    tiles = [np.full((2, 3, 3), n, np.uint8) for n in (1, 2, 3)]
    picture = grid(tiles, 2)
    assert picture[..., 0].tolist() == [[1] * 3 + [2] * 3] * 2 + [[3] * 3 + [PAPER[0]] * 3] * 2


def test_a_title_is_as_wide_as_what_it_stands_over() -> None:
    below = np.full((10, 400, 3), 7, np.uint8)
    picture = titled(below, "a store")
    assert picture.shape == (10 + 2 * LINE_HEIGHT + 2 * GAP, 400, 3)
    assert (picture[-10:] == 7).all()
    for colour in SIDES.values():
        assert len(shown(header("a store", 400), colour)) > 0


def test_a_line_has_its_pieces_in_turn_and_the_last_at_the_end() -> None:
    picture = line(300, ("ab", (255, 0, 0)), ("cd", (0, 255, 0)), right="ef")
    assert picture.shape == (LINE_HEIGHT, 300, 3)
    red, green = (np.flatnonzero((picture[..., c] > 150) & (picture[..., 1 - c] < 100)) % 300 for c in (0, 1))
    white = np.flatnonzero((picture > 150).all(axis=-1)) % 300
    assert 0 < red.min() < red.max() < green.min() < green.max() < white.min()
    assert 290 < white.max() < 300


def test_a_line_that_is_too_long_is_cut_in_its_middle() -> None:
    long = line(150, ("abcdefgh" * 20, INK), right="end")
    assert long.shape == (LINE_HEIGHT, 150, 3)
    short = line(150, ("abcdefgh", INK), right="end")
    assert np.array_equal(long[:, :30], short[:, :30])
    # What stands at the end is whole.
    assert np.array_equal(long[:, 118:], line(150, right="end")[:, 118:])
    assert np.array_equal(line(300, ("caf\xe9\n", INK)), line(300, ("cafe?", INK)))


def test_a_border_is_even() -> None:
    picture = bordered(np.full((2, 3, 3), 200, np.uint8))
    assert picture.shape == (2 + 2 * GAP, 3 + 2 * GAP, 3)
    assert (picture == 200).all(axis=-1).sum() == 6
    assert (picture[GAP:-GAP, GAP:-GAP] == 200).all()
