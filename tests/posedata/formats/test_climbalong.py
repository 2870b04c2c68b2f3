"""ClimbAlong, quirk by quirk, on files that the tests write themselves."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.build import build_store
from posedata.config import Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats.climbalong import ClimbAlong
from posedata.poses import NOT_FINITE, Note, PoseSequence
from posedata.store.reader import Store, open_store

T = 6
BOX = (100.0, 100.0, 300.0, 500.0)
"""Twice as high as wide: one cell is 200/56 by 400/56 pixels."""
RECIPE = Recipe(datasets=(Selection(dataset="climbalong"),), noise=None, split="held-out")


def keypoints(frames: int = T) -> NDArray[np.float64]:
    """(T, 25, 3): joint k at (110 + k, 120 + 2 k)."""
    k = np.arange(25.0)
    return np.tile(np.stack([110 + k, 120 + 2 * k, np.ones(25)], axis=-1), (frames, 1, 1))


def detected(frames: int = T) -> NDArray[np.float32]:
    """(T, 25, 56, 56): a one at [y, x] = [k, t] for joint k of frame t."""
    maps = np.zeros((frames, 25, 56, 56), np.float32)
    for k in range(25):
        maps[np.arange(frames), k, k, np.arange(frames) % 56] = 1
    return maps


def write(root: Path, name: str = "climb", frames: int = T, **other: Any) -> Path:
    """One video; `other` replaces arrays, None leaves one out. Returns its input file."""
    arrays = {
        "bboxes": np.tile(BOX, (frames, 1)),
        "heatmaps": detected(frames),
        "keypoints": keypoints(frames),
    } | other
    for folder, members in (("input", ("bboxes", "heatmaps")), ("target", ("keypoints",))):
        (root / folder).mkdir(parents=True, exist_ok=True)
        np.savez_compressed(root / folder / name, **{m: arrays[m] for m in members if arrays[m] is not None})
    return root / "input" / f"{name}.npz"


def read(root: Path) -> PoseSequence:
    tree = ClimbAlong(root)
    (item,) = tree.items()
    return tree.read(item)


def heatmaps(root: Path) -> NDArray[np.float32]:
    detector = read(root).detector
    assert detector is not None
    return np.concatenate(list(detector.heatmaps()))


def stored(root: Path, out: Path) -> Store:
    build_store(RECIPE, {"climbalong": root}, out)
    return open_store(out)


@pytest.mark.parametrize("shape", [(T, 25, 3), (T, 1, 25, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_both_shapes_of_keypoints_are_read(shape: tuple[int, ...], dtype: type, tmp_path: Path) -> None:
    write(tmp_path, keypoints=keypoints().reshape(shape).astype(dtype))
    sequence = read(tmp_path)
    np.testing.assert_array_equal(sequence.points, keypoints()[..., :2])
    assert (sequence.video, sequence.fps) == ("climb", 30.0)
    assert sequence.frame_number.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_keypoint_is_missing_only_where_all_three_are_zero(tmp_path: Path) -> None:
    made = keypoints()
    made[0, :4] = (0, 0, 0), (0, 0, 1), (0, 130, 0), (130, 0, 0)
    write(tmp_path, keypoints=made)
    points = read(tmp_path).points
    assert np.isnan(points[0, 0]).all()
    assert points[0, 1:4].tolist() == [[0, 0], [0, 130], [130, 0]]
    assert (~np.isnan(points[..., 0])).sum() == T * 25 - 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_target_that_is_not_finite_is_not_annotated(value: float, tmp_path: Path) -> None:
    made = keypoints()
    made[2, 3, 1] = value
    write(tmp_path, keypoints=made)
    sequence = read(tmp_path)
    assert np.isnan(sequence.points[2, 3]).all()
    assert sequence.notes == (Note(1, NOT_FINITE),)


def test_heatmaps_come_whole_and_in_frame_order(tmp_path: Path) -> None:
    # More than one block of reading.
    write(tmp_path, frames=70, heatmaps=detected(70).astype(np.float16))
    np.testing.assert_array_equal(heatmaps(tmp_path), detected(70))


def test_the_box_is_used_as_it_is_and_not_squared(tmp_path: Path) -> None:
    made = keypoints()
    made[0, 0] = 200, 300, 1
    made[0, 1] = 150, 400, 1
    write(tmp_path, keypoints=made)
    store = stored(tmp_path, tmp_path / "a.zarr")
    np.testing.assert_array_equal(store["box"], np.tile(BOX, (T, 1)))
    np.testing.assert_array_equal(store["target_points"][0, :2], [[28, 28], [14, 42]])
    np.testing.assert_array_equal(store["target_cells"][0, :2], [[28, 28], [14, 42]])


@pytest.mark.parametrize(
    ("xy", "grid", "cell"),
    [
        ((50, 300), (0, 28), (0, 28)),
        ((400, 300), (56, 28), (55, 28)),
        ((200, 20), (28, 0), (28, 0)),
        ((200, 900), (28, 56), (28, 55)),
        ((-70, 7000), (0, 56), (0, 55)),
        ((300, 500), (56, 56), (55, 55)),
    ],
)
def test_targets_outside_the_box_go_to_the_nearest_border_point(
    xy: tuple[int, int], grid: tuple[int, int], cell: tuple[int, int], tmp_path: Path
) -> None:
    made = keypoints()
    made[1, 7] = *xy, 1
    write(tmp_path, keypoints=made)
    store = stored(tmp_path, tmp_path / "a.zarr")
    assert store["target_points"][1, 7].tolist() == list(grid)
    assert store["target_cells"][1, 7].tolist() == list(cell)
    assert store["annotated"][1, 7]


def test_negative_heatmaps_become_zero_and_the_rest_sums_to_255(tmp_path: Path) -> None:
    made = detected()
    made[0, 0] = -0.5
    made[0, 0, 3, 4] = made[0, 0, 10, 11] = 2
    made[0, 1] = -1
    write(tmp_path, heatmaps=made)
    first = stored(tmp_path, tmp_path / "a.zarr").frames("input_heatmaps", np.asarray([0]))[0]
    assert first[0, 3, 4] == first[0, 10, 11] == 127.5
    assert np.count_nonzero(first[0]) == 2
    assert not first[1].any()
    assert first[2].sum() == first[2, 2, 0] == 255


@pytest.mark.parametrize(
    "empty",
    [(0, 0, 0, 0), (50, 60, 50, 60), (50, 60, 50, 90), (50, 60, 90, 60), (np.nan,) * 4, (0, 0, np.inf, 9)],
)
def test_an_empty_box_in_mid_video_empties_its_frame_alone(empty: tuple[float, ...], tmp_path: Path) -> None:
    boxes = np.tile(BOX, (T, 1))
    boxes[2] = empty
    write(tmp_path, bboxes=boxes)
    store = stored(tmp_path, tmp_path / "a.zarr")
    assert len(store) == T
    assert store["frame_number"].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.isnan(store["box"]).all(axis=1).tolist() == [False, False, True, False, False, False]
    assert store["annotated"].all(axis=1).tolist() == [True, True, False, True, True, True]
    assert store["annotated"].any(axis=1).tolist() == [True, True, False, True, True, True]
    for name in ("input_heatmaps", "target_heatmaps"):
        shown = store.frames(name, np.arange(T)).any(axis=(1, 2, 3))
        assert shown.tolist() == [True, True, False, True, True, True], name
    assert len(store.windows("all")) == 1
    assert store.manifest.summary["counts"]["empty_frames"] == 1


def test_boxes_as_x_y_w_h_are_refused(tmp_path: Path) -> None:
    write(tmp_path, bboxes=np.tile([300.0, 400.0, 200.0, 250.0], (T, 1)))
    with pytest.raises(BadInputError, match=r"x0 y0 x1 y1.*x y w h"):
        read(tmp_path)


def test_boxes_that_leave_most_keypoints_outside_are_refused(tmp_path: Path) -> None:
    made = keypoints()
    made[:3, :, 0] = 301  # half of them, in boxes that end at 300
    path = write(tmp_path, keypoints=made)
    assert [note.count for note in read(tmp_path).notes] == [75]
    made[3, 0, 0] = 301
    write(tmp_path, keypoints=made)
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    told = "bboxes: expected around the keypoints in pixels, found 76 points outside"
    assert caught.value.faults == (f"{path}: {told}",)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "boxes one short": ({"bboxes": np.tile(BOX, (T - 1, 1))}, r"bboxes: .*\(6, 4\)"),
    "boxes of five": ({"bboxes": np.ones((T, 5))}, "bboxes"),
    "boxes of text": ({"bboxes": np.full((T, 4), "1")}, "bboxes"),
    "relative boxes": ({"bboxes": np.tile(BOX, (T, 1)) / 2000}, "bboxes: expected pixels, found no number above"),
    "no boxes": ({"bboxes": None}, "bboxes"),
    "heatmaps one short": ({"heatmaps": detected(T - 1)}, r"heatmaps: .*\(6, 25, 56, 56\)"),
    "heatmaps one more": ({"heatmaps": detected(T + 1)}, r"heatmaps: .*\(6, 25, 56, 56\)"),
    "24 heatmaps": ({"heatmaps": detected()[:, :24]}, "heatmaps"),
    "64 x 48": ({"heatmaps": np.zeros((T, 25, 64, 48), np.float32)}, "heatmaps"),
    "heatmaps of bytes": ({"heatmaps": detected().astype(np.uint8)}, "heatmaps"),
    "heatmaps in Fortran order": ({"heatmaps": np.asfortranarray(detected())}, "heatmaps"),
    "no heatmaps": ({"heatmaps": None}, "heatmaps"),
    "target one short": ({"keypoints": keypoints(T - 1)}, r"\(5, "),
    "17 keypoints": ({"keypoints": keypoints()[:, :17]}, "keypoints"),
    "two numbers a keypoint": ({"keypoints": keypoints()[..., :2]}, "keypoints"),
    "two people": ({"keypoints": np.stack([keypoints()] * 2, axis=1)}, "keypoints"),
    "text": ({"keypoints": keypoints().astype(str)}, "keypoints"),
    "no keypoints": ({"keypoints": None}, "keypoints"),
    "relative": ({"keypoints": keypoints() / 500}, "relative"),
    "huge": ({"keypoints": keypoints() * 1e300}, "pixels"),
    "no frames": ({"keypoints": keypoints(0), "bboxes": np.ones((0, 4)), "heatmaps": detected(0)}, "at least one"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_video_is_refused_with_its_name(fault: str, tmp_path: Path) -> None:
    other, word = FAULTS[fault]
    write(tmp_path, **other)
    with pytest.raises(BadInputError, match=word) as caught:
        read(tmp_path)
    assert "climb" in str(caught.value)


def test_all_faults_of_an_input_file_are_listed(tmp_path: Path) -> None:
    write(tmp_path, bboxes=np.ones((T, 5)), heatmaps=detected(T + 1))
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    assert [line.split(": ")[1] for line in caught.value.faults] == ["bboxes", "heatmaps"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("at", [4, 66])
def test_a_heatmap_that_is_not_finite_is_refused_with_its_frame(value: float, at: int, tmp_path: Path) -> None:
    made = np.zeros((70, 25, 56, 56), np.float16)
    made[at, 24, 55, 55] = value
    path = write(tmp_path, frames=70, heatmaps=made)
    with pytest.raises(BadInputError, match=f"heatmaps: .* at frame {at}$") as caught:
        heatmaps(tmp_path)
    assert str(path) in str(caught.value)


def test_a_heatmap_beyond_float32_is_refused_with_its_frame(tmp_path: Path) -> None:
    made = detected().astype(np.float64)
    made[3, 0, 0, 0] = 1e300
    write(tmp_path, heatmaps=made)
    with pytest.raises(BadInputError, match=r"heatmaps: .* at frame 3$"):
        heatmaps(tmp_path)


@pytest.mark.parametrize("there", [T - 2, 0])
def test_fewer_heatmaps_than_their_header_says_are_refused(there: int, tmp_path: Path) -> None:
    path = write(tmp_path)
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (T, 25, 56, 56)}
    np.lib.format.write_array_header_1_0(header, shape)
    boxes = io.BytesIO()
    np.save(boxes, np.tile(BOX, (T, 1)))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bboxes.npy", boxes.getvalue())
        archive.writestr("heatmaps.npy", header.getvalue() + detected(there).tobytes())
    with pytest.raises(BadInputError, match="heatmaps") as caught:
        heatmaps(tmp_path)
    assert str(path) in str(caught.value)


class _Trap:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("member", ["bboxes", "heatmaps", "keypoints"])
def test_a_pickled_npz_is_refused_and_nothing_in_it_runs(member: str, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    trap = np.empty((T, 25), object)
    trap[:] = _Trap(sprung)
    write(tmp_path, **{member: trap})
    sprung.unlink(missing_ok=True)
    with pytest.raises(BadInputError, match="climb"):
        heatmaps(tmp_path)
    assert not sprung.exists()


@pytest.mark.parametrize("folder", ["input", "target"])
@pytest.mark.parametrize("share", [0.3, 0.999])
def test_a_truncated_npz_is_refused(folder: str, share: float, tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / folder / "climb.npz"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadInputError, match=str(path)):
        heatmaps(tmp_path)


def test_flipped_bits_in_the_heatmaps_are_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, heatmaps=np.random.default_rng(0).random((T, 25, 56, 56)).astype(np.float32))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)
    with pytest.raises(BadInputError, match="heatmaps"):
        heatmaps(tmp_path)


@pytest.mark.parametrize("lost", ["input", "target"])
def test_a_lone_input_or_target_is_refused(lost: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path, name)
    (tmp_path / lost / "b.npz").unlink()
    assert ClimbAlong(tmp_path).items() == ["a", "b"]
    with pytest.raises(BadInputError) as caught:
        ClimbAlong(tmp_path).read("b")
    assert len(caught.value.faults) == 1
    assert str(tmp_path / lost / "b.npz") in str(caught.value)


def test_more_bytes_than_the_heatmaps_have_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content + b"more" * (name == "heatmaps.npy"))
    with pytest.raises(BadInputError, match=r"heatmaps: .*found more bytes than that"):
        heatmaps(tmp_path)
