"""Skeletons over films in which a dot stands where the joint was annotated, and on pages."""

import base64
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from browser import Browser
from filming import DOT, number_in, numbered, write_film

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError, ChoiceError
from posedata.geometry import to_pixels
from posedata.preview import overlay
from posedata.preview.colours import KEYPOINT_COLOURS, PAPER, lighter
from posedata.preview.draw import GAP, panels
from posedata.preview.overlay import SIDE, backdrop, filmed, find_footage
from posedata.preview.page import frame_numbers, write_html
from posedata.preview.scenes import Backdrop, read_scenes
from posedata.skeleton import INDEX
from posedata.store.reader import Store, open_store

from .conftest import ABOUT, scene_of
from .test_page import TWO, faults, page_of, told

ANKLE = INDEX["right_ankle"]


@pytest.fixture
def store(stores: dict[str, Path]) -> Store:
    return open_store(stores["climbalong"])


def dot_in(picture: np.ndarray) -> np.ndarray | None:  # type: ignore[type-arg]
    """x y of the middle of a dot, in pixels from the edges; None where there is none."""
    found = np.argwhere(np.abs(picture.astype(int) - DOT).max(axis=-1) < 90)[:, ::-1]
    return found.mean(axis=0) + 0.5 if len(found) else None


def test_a_joint_lies_on_its_dot_in_the_frame_of_its_number(store: Store, climbs: Path) -> None:
    frames = np.arange(0, len(store), 3)
    footage = find_footage(store, frames, climbs)
    assert footage.panel == (360, SIDE)
    tried = 0
    for scene in filmed(read_scenes(store, frames), footage):
        assert scene.backdrop is not None
        picture, box = scene.backdrop.picture, scene.backdrop.box
        assert picture.shape == (SIDE, 360, 3)
        assert number_in(picture) == scene.number
        grid = scene.target[ANKLE]
        if np.isnan(grid).any() or not ((grid > 0.2) & (grid < 55.8)).all():
            continue  # missing, or moved to the border of a box that misses it
        dot = dot_in(picture)
        assert dot is not None
        joint = to_pixels(scene.target[None], box[None])[0, ANKLE]
        assert np.abs(joint - dot).max() < 1
        alone = np.where(np.arange(25)[:, None] == ANKLE, scene.target, np.nan)
        drawn = panels(replace(scene, target=alone, peaks=np.full((25, 2), np.nan)), 5)
        x, y = np.floor(dot).astype(int)
        for left in (0, 360 + GAP):
            assert (drawn[y - 1 : y + 2, left + x - 1 : left + x + 2] == KEYPOINT_COLOURS[ANKLE]).all()
        tried += 1
    assert tried > 20


def test_a_backdrop_fits_into_its_panel() -> None:
    """A frame of 100 x 50 in a panel of 40 x 40: 40 x 20, 10 from above. Pixel 49 ends at the middle."""
    frame = np.full((50, 100, 3), 200, np.uint8)
    found = backdrop(frame, np.asarray([-0.5, -0.5, 49.5, 49.5]), (40, 40))
    assert found.box.tolist() == [0, 10, 20, 30]
    assert (found.picture[10:30] == 200).all()
    assert (found.picture[:10] == PAPER).all()
    assert (found.picture[30:] == PAPER).all()
    assert np.isnan(backdrop(frame, np.full(4, np.nan), (40, 40)).box).all()


def test_a_frame_without_a_box_shows_its_film_alone() -> None:
    frame = numbered(9, 64, 48)
    empty = replace(scene_of({}), backdrop=backdrop(frame, np.full(4, np.nan), (64, 48)))
    assert np.array_equal(panels(empty, 5), np.concatenate([frame, np.full((48, GAP, 3), PAPER), frame], axis=1))


@pytest.mark.parametrize(("name", "first"), [("penn_action", 1), ("brace", 1), ("speed21", 1)])
def test_films_of_other_sources_begin_with_their_first_number(
    name: str, first: int, stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of speed climbing are films of their own, named like their sequences. Small ones are quickly made."""
    monkeypatch.setattr(overlay, "need_fit", lambda *arguments: None)
    other = open_store(stores[name])
    sequence = 1
    start = int(other["sequence_start"][sequence])
    video = str(other["sequence_name" if name == "speed21" else "sequence_video"][sequence])
    last = int(other["frame_number"][start + 2])
    write_film(tmp_path / f"{video}.avi", (numbered(n % 256, 192, 108) for n in range(last - first + 1)))
    frames = np.arange(start, start + 3)
    scenes = list(filmed(read_scenes(other, frames), find_footage(other, frames, tmp_path)))
    shown = [number_in(scene.backdrop.picture) for scene in scenes if scene.backdrop]
    assert shown == [(scene.number - first) % 256 for scene in scenes]


def test_folders_of_pictures_are_films(stores: dict[str, Path], tmp_path: Path) -> None:
    penn = open_store(stores["penn_action"])
    frames = np.arange(4, 7)
    video = str(penn["sequence_video"][0])
    numbers = penn.frames("frame_number", frames).tolist()
    (tmp_path / video).mkdir()
    for n in numbers:
        cv2.imwrite(str(tmp_path / video / f"{n:06d}.jpg"), numbered(n, 640, 480))
    for place in (tmp_path, tmp_path / video):
        scenes = list(filmed(read_scenes(penn, frames), find_footage(penn, frames, place)))
        assert [number_in(scene.backdrop.picture) for scene in scenes if scene.backdrop] == numbers


def test_frames_in_any_order_are_found(store: Store, climbs: Path) -> None:
    frames = np.asarray([5, len(store) - 1, 2, 40, 0])
    scenes = list(filmed(read_scenes(store, frames), find_footage(store, frames, climbs)))
    assert [number_in(scene.backdrop.picture) for scene in scenes if scene.backdrop] == [s.number for s in scenes]


def test_one_film_is_open_at_a_time_and_none_at_the_end(
    store: Store, climbs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []

    class Told(overlay.Film):
        def __init__(self, path: Path, first: int = 0) -> None:
            super().__init__(path, first)
            log.append(f"+{path.stem}")

        def close(self) -> None:
            super().close()
            log.append(f"-{self.path.stem}")

    frames = np.asarray([0, 1, 40, 41])
    footage = find_footage(store, frames, climbs)
    monkeypatch.setattr(overlay, "Film", Told)
    list(filmed(read_scenes(store, frames), footage))
    opened = [entry for entry in log if entry[0] == "+"]
    assert opened == ["+climb_01", "+climb_02"]
    assert log.index("+climb_02") > log.index("-climb_01")
    assert log[-1] == "-climb_02"


def test_missing_films_are_named(store: Store, climbs: Path, tmp_path: Path) -> None:
    frames = np.asarray([0, len(store) - 1])
    shutil.copy(climbs / "climb_01.avi", tmp_path)
    (tmp_path / "climb_04.txt").touch()
    with pytest.raises(BadInputError) as caught:
        find_footage(store, frames, tmp_path)
    expected = (
        "expected a film (.avi, .m4v, .mkv, .mov, .mp4, .webm) or a folder of pictures of that name, found neither"
    )
    assert caught.value.faults == (f"{tmp_path / 'climb_04'}: {expected}",)
    (tmp_path / "climb_01.avi").unlink()
    with pytest.raises(BadInputError, match="climb_01: expected a film") as caught:
        find_footage(store, frames, tmp_path)
    assert len(caught.value.faults) == 2
    with pytest.raises(BadInputError, match="found nothing"):
        find_footage(store, frames, tmp_path / "none")


def test_two_films_of_a_name_and_one_film_of_two_sequences(store: Store, climbs: Path, tmp_path: Path) -> None:
    for ending in (".avi", ".mp4"):
        shutil.copy(climbs / "climb_01.avi", tmp_path / f"climb_01{ending}")
    with pytest.raises(BadInputError, match=r"expected one film called climb_01, found climb_01\.avi too"):
        find_footage(store, np.asarray([0]), tmp_path)
    with pytest.raises(ChoiceError, match="found frames of 2 films; name a --sequence"):
        find_footage(store, np.asarray([0, len(store) - 1]), climbs / "climb_01.avi")


def test_a_film_that_is_too_short_or_too_small(store: Store, tmp_path: Path) -> None:
    short = write_film(tmp_path / "short.avi", (numbered(n, 1080, 1920) for n in range(3)))
    frames = np.arange(5)
    scenes = filmed(read_scenes(store, frames), find_footage(store, frames, short))
    with pytest.raises(BadInputError, match=r"short\.avi: expected 4 frames at least, found 3; is it another film"):
        list(scenes)
    turned = write_film(tmp_path / "small.avi", [numbered(0, 320, 240)])
    with pytest.raises(BadInputError, match=r"small\.avi: expected frames larger than \d+ x \d+ .* found 320 x 240"):
        find_footage(store, frames, turned)


def test_resampled_frames_are_of_no_film(copy_tree: Callable[[str], Path], climbs: Path, tmp_path: Path) -> None:
    recipe = Recipe(datasets=(Selection(dataset="speed21"),), noise=Noise(), split="video", fps=10.0)
    build_store(recipe, {"speed21": copy_tree("speed21")}, tmp_path / "s.zarr")
    with pytest.raises(ChoiceError, match=r"--video: expected a store of its source's own frames, found s\.zarr resam"):
        find_footage(open_store(tmp_path / "s.zarr"), np.asarray([0]), climbs)


def test_skeletons_stand_on_a_film_where_its_box_is(browser: Browser, tmp_path: Path) -> None:
    """Grid position 10.5, 20.5 in a box from 100, 50 to 212, 162 of the film is its pixel 121, 91."""
    nose, ear = INDEX["nose"], INDEX["left_ear"]
    film = Backdrop(np.full((320, 480, 3), (10, 90, 20), np.uint8), np.asarray([100.0, 50.0, 212.0, 162.0]))
    scenes = [
        scene_of({nose: (10.5, 20.5), ear: (10.5, 40.5)}, shift=10, backdrop=film),
        scene_of({}, number=8, box=np.full(4, np.nan), backdrop=replace(film, box=np.full(4, np.nan))),
    ]
    write_html(tmp_path / "p.html", iter(scenes), replace(ABOUT, frames=2, filmed=True))
    browser.open((tmp_path / "p.html").as_uri())
    browser.ask("draw()")

    def at(canvas: str, x: int, y: int) -> list[int]:
        place = f'get("{canvas}").getContext("2d").getImageData({x}, {y}, 1, 1)'
        return list(browser.ask(f"Array.from({place}.data)"))[:3]

    assert browser.ask('[get("input").width, get("input").height]') == [480, 320]
    strong, light = list(KEYPOINT_COLOURS[nose]), list(lighter(KEYPOINT_COLOURS[nose]))
    assert at("target", 121, 91) == strong
    assert at("input", 121, 91) == strong
    assert at("input", 141, 91) == light
    limb = at("target", 121, 111)  # halfway along, where it is hardly two pixels wide
    assert np.abs(np.subtract(limb, KEYPOINT_COLOURS[ear])).max() < 45
    assert np.abs(np.subtract(at("target", 141, 91), (10, 90, 20))).max() < 5
    assert browser.ask('getComputedStyle(get("joint").parentElement).display') == "none"
    browser.ask("show(1)")
    assert np.abs(np.subtract(at("target", 121, 91), (10, 90, 20))).max() < 5
    assert told(browser, "missing") == "all"
    assert faults(browser) == []


def test_numbers_of_a_frame_on_a_film_have_no_heatmaps() -> None:
    film = Backdrop(np.zeros((32, 48, 3), np.uint8), np.asarray([1.0, 2.0, 3.0, 4.5]))
    numbers = frame_numbers(scene_of(TWO, backdrop=film))
    assert set(numbers) == {"sequence", "number", "split", "target", "peaks", "film", "box"}
    assert numbers["box"] == [1, 2, 3, 4.5]
    assert base64.b64decode(numbers["film"]).startswith(b"\xff\xd8")
    words = page_of(scene_of(TWO, backdrop=film), filmed=True).words
    assert "on the film" in words
    assert "Heatmaps" not in words
