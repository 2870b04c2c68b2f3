"""From a store to a file, which is there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError
from posedata.locks import locked
from posedata.preview import films
from posedata.preview.about import About
from posedata.preview.choose import Wanted
from posedata.preview.write import ENDINGS, write_preview
from posedata.progress import Advance, silent
from posedata.store.reader import open_store

PENN = Wanted(count=3)


@pytest.fixture
def store(stores: dict[str, Path]) -> Path:
    return stores["penn_action"]


@pytest.mark.parametrize("name", ["brace", "penn_action", "climbalong", "speed21"])
@pytest.mark.parametrize("ending", [".png", ".html"])
def test_the_same_frames_give_the_same_bytes(name: str, ending: str, stores: dict[str, Path], tmp_path: Path) -> None:
    a, b = (tmp_path / f"{side}{ending}" for side in "ab")
    for out in (a, b):
        write_preview(stores[name], out, PENN, overwrite=False, progress=silent)
    assert a.read_bytes() == b.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [a.name, b.name]


@pytest.mark.parametrize("ending", ENDINGS)
def test_frames_without_any_keypoint_are_shown(ending: str, stores: dict[str, Path], tmp_path: Path) -> None:
    store = open_store(stores["climbalong"])
    empty = int(np.flatnonzero(~store["annotated"].any(axis=-1))[0])
    number = int(store["frame_number"][empty])
    name = str(store["sequence_name"][store.frame_sequence[empty]])
    wanted = Wanted(sequence=name, first=number, end=number + 1)
    shown = write_preview(stores["climbalong"], tmp_path / f"e{ending}", wanted, overwrite=False, progress=silent)
    assert (shown.frames, shown.sequences) == (1, [f"climbalong/{name}"])
    assert (tmp_path / f"e{ending}").stat().st_size > 0


def test_an_ending_in_capitals_is_one(store: Path, tmp_path: Path) -> None:
    write_preview(store, tmp_path / "S.PNG", PENN, overwrite=False, progress=silent)
    with Image.open(tmp_path / "S.PNG") as sheet:
        assert sheet.format == "PNG"


@pytest.mark.parametrize(("name", "found"), [("a.jpg", ".jpg"), ("png", "no ending"), (".png", "no ending")])
def test_an_unknown_ending_names_those_there_are(name: str, found: str, store: Path, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=rf"ends in \.png, \.gif, \.mp4, \.html, \.rrd, found {found}"):
        write_preview(store, tmp_path / name, PENN, overwrite=False, progress=silent)


def test_what_stands_there_is_kept_unless_told_otherwise(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.png"
    out.write_text("mine")
    with pytest.raises(ConflictError, match=r"s\.png: expected no such file, found one; use --overwrite"):
        write_preview(store, out, PENN, overwrite=False, progress=silent)
    assert out.read_text() == "mine"
    write_preview(store, out, PENN, overwrite=True, progress=silent)
    assert out.read_bytes().startswith(b"\x89PNG")


def test_a_folder_is_never_replaced(store: Path, tmp_path: Path) -> None:
    (tmp_path / "s.png").mkdir()
    with pytest.raises(ConflictError, match="found a folder"):
        write_preview(store, tmp_path / "s.png", PENN, overwrite=True, progress=silent)


def test_a_picture_in_the_store_would_break_it(store: Path) -> None:
    with pytest.raises(ChoiceError, match="expected a file outside of"):
        write_preview(store, store / "s.png", PENN, overwrite=False, progress=silent)
    open_store(store)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_failure_leaves_what_was_there(
    overwrite: bool, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "s.gif"
    if overwrite:
        out.write_text("before")

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(films, "getdata", fail)
    with pytest.raises(OSError, match="No space"):
        write_preview(store, out, PENN, overwrite=overwrite, progress=silent)
    assert [path.name for path in tmp_path.iterdir()] == (["s.gif"] if overwrite else [])
    assert not overwrite or out.read_text() == "before"


def test_a_file_that_appears_meanwhile_is_kept(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "s.png"

    def slow(path: Path, scenes: Iterator[object], about: About) -> None:
        path.write_bytes(b"ours")
        out.write_text("theirs")

    monkeypatch.setattr(films, "write_png", slow)
    with pytest.raises(ConflictError):
        write_preview(store, out, PENN, overwrite=False, progress=silent)
    assert out.read_text() == "theirs"


def test_two_at_one_file_do_not_mix(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.png"
    with locked(tmp_path / ".s.png.making", out), pytest.raises(ConflictError, match="another process"):
        write_preview(store, out, PENN, overwrite=False, progress=silent)
    # What a killed one left is no hindrance.
    (tmp_path / ".s.png.making" / "s.png").write_text("half")
    write_preview(store, out, PENN, overwrite=False, progress=silent)
    assert [path.name for path in tmp_path.iterdir()] == ["s.png"]


def test_no_store_and_a_damaged_one(stores: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "s.png"
    with pytest.raises(BadInputError, match="expected a store"):
        write_preview(tmp_path / "none.zarr", out, PENN, overwrite=False, progress=silent)
    (tmp_path / "torn").mkdir()
    with pytest.raises(IntegrityError):
        write_preview(tmp_path / "torn", out, PENN, overwrite=False, progress=silent)
    assert not out.exists()


def test_progress_is_told_of_every_frame(store: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int, float]] = []

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Advance]:
        done: list[float] = []
        yield done.append
        told.append((what, total, sum(done)))

    wanted = Wanted(pick="noisiest", count=3)
    write_preview(store, tmp_path / "s.png", wanted, overwrite=False, progress=progress)
    frames = len(open_store(store))
    assert told == [("measuring", frames, frames), ("drawing", 3, 3)]


@pytest.mark.parametrize(
    ("name", "wanted", "rate"),
    [
        ("speed21", Wanted(count=1), None),
        ("penn_action", Wanted(count=1), 25.0),  # its rate is not known
        ("penn_action", Wanted(count=2), 1.0),  # one frame of each sequence
    ],
)
def test_a_film_runs_at_the_rate_of_its_source(
    name: str,
    wanted: Wanted,
    rate: float | None,
    stores: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[About] = []

    def keep(path: Path, scenes: Iterator[object], about: About) -> None:
        seen.append(about)
        path.touch()

    monkeypatch.setattr(films, "write_gif", keep)
    shown = write_preview(stores[name], tmp_path / "f.gif", wanted, overwrite=False, progress=silent)
    store = open_store(stores[name])
    number = [f"{name}/{own}" for own in store["sequence_name"]].index(shown.sequences[0])
    assert seen[0].rate == (rate or store["sequence_fps"][number])
    assert seen[0].frames == wanted.count
