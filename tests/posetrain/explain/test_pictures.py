import numpy as np

from posedata.crops.store import CropStore
from posetrain.explain.pictures import SHOWN, compared, figures, labelled, plane_of, side_by_side, spread, walks


def test_a_plane_is_filled_by_the_samples_that_stand_in_the_middle_of_their_places() -> None:
    ramp = np.linspace(0, 12, 25)  # every other one in the middle of a place
    plane = np.stack([ramp, ramp], axis=1)
    chosen = spread(plane)
    assert np.diag(chosen[::-1]).tolist() == list(range(1, 25, 2))
    assert (chosen >= 0).sum() == 12
    assert chosen[0, 11] == 23  # upwards and to the right


def test_samples_in_one_spot_are_no_error() -> None:
    assert (spread(np.ones((3, 2))) >= 0).sum() == 1


def test_labels_and_predictions_are_drawn_alike(crops: CropStore) -> None:
    positions = np.array([2, 0])
    truth = labelled(crops, positions)
    assert [one.shape for one in truth] == [(SHOWN, SHOWN, 3)] * 2
    same = figures(crops, positions, crops.frames("points", positions))
    other = figures(crops, positions, np.full((2, 17, 2), 32.0))
    assert all(np.array_equal(a, b) for a, b in zip(truth, same, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(truth, other, strict=True))


def test_pictures_stand_in_rows(crops: CropStore) -> None:
    truth = labelled(crops, np.array([0, 1, 2]))
    step = SHOWN + 8
    pairs = compared({"labels": truth, "with": truth})
    assert pairs.shape == (22 + 2 * step, 4 * step, 3)
    assert walks({"1: 30 %": truth, "2: 20 %": truth}, ["-1", "0", "1"]).shape == (22 + 2 * (22 + step), 3 * step, 3)
    assert side_by_side({"a": truth[0], "b": truth[1]}).shape == (step + 22, 2 * step, 3)


def test_a_plane_of_crops_is_framed_by_group(crops: CropStore) -> None:
    positions = np.array([1, 2])
    picture = plane_of(crops, positions, np.array([[0, -1], [1, -1]]), np.array([0, 1]))
    assert picture.shape == (140, 140, 3)
    assert picture[0, 0].tolist() != picture[70, 0].tolist()
    assert (picture[:, 70:] == picture[0, 70]).all()  # nobody there
    small = labelled(crops, positions, 64)
    assert np.array_equal(picture[3:67, 3:67], small[0])
    assert np.array_equal(picture[73:137, 3:67], small[1])
