import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from posedata import heatmaps, locks
from posedata.errors import BadInputError, ChoiceError, IntegrityError, InUseError, PoseDataError
from posedata.files import sha256_file
from posedata.manifest import MANIFEST_NAME, list_files
from posedata.splits import SPLITS
from posedata.store import opened
from posedata.store.allowed import Problem
from posedata.store.codecs import encode, encode_text
from posedata.store.opened import verify
from posedata.store.reader import open_store

NAMES = ("brace", "climbalong", "penn_action", "speed21")


@pytest.fixture
def store(stores: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a store that a test may damage."""
    return Path(shutil.copytree(stores["penn_action"], tmp_path / "a.zarr"))


def edit_manifest(store: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest, and make its own hash agree."""
    path = store / MANIFEST_NAME
    content = json.loads(path.read_bytes())
    del content["manifest_sha256"]
    change(content)
    path.write_text(json.dumps(content | {"manifest_sha256": own_hash(content)}))


def own_hash(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def edit_metadata(store: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the root's metadata, and make the manifest agree."""
    path = store / "zarr.json"
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))
    files = [file.model_dump() for file in list_files(store)]
    edit_manifest(store, lambda manifest: manifest.update(files=files))


def edit_table(store: Path, name: str, values: list[Any]) -> None:
    """Change an array along sequences, and make the manifest agree."""
    encoded = encode_text(np.asarray(values, object)) if isinstance(values[0], str) else encode(np.asarray(values))
    (store / name / "c" / "0").write_bytes(encoded)
    files = [file.model_dump() for file in list_files(store)]
    edit_manifest(store, lambda manifest: manifest.update(files=files))


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def names_of(store: Path) -> list[str]:
    return sorted(p.relative_to(store).as_posix() for p in store.rglob("*") if p.is_file())


# A store as it should be.


@pytest.mark.parametrize("name", NAMES)
def test_a_complete_store_opens_and_holds_what_zarr_reads(stores: dict[str, Path], name: str) -> None:
    store = open_store(stores[name])
    group = zarr.open_group(stores[name], mode="r")
    assert len(store) == group["shot"].shape[0]
    assert store.attributes == dict(group.attrs)
    for key in ("keypoint", "sequence_name", "target_points", "annotated", "split"):
        np.testing.assert_array_equal(store[key], np.asarray(group[key][...]), err_msg=key)
    assert "input_heatmaps" not in store.rendered or name != "climbalong"
    assert "target_heatmaps" in store.rendered


@pytest.mark.parametrize("name", NAMES)
def test_a_complete_store_has_no_problem(stores: dict[str, Path], name: str) -> None:
    count = len(names_of(stores[name])) - 1
    assert verify(stores[name]) == (count, [])
    assert verify(stores[name], quick=True) == (count, [])


@pytest.mark.parametrize(
    "positions",
    [[0], [5, 3, 3, 100, 0], [[7, 8], [8, 9], [0, 7]], [], list(range(70, 20, -3))],
    ids=["one", "any order", "windows", "none", "backwards"],
)
@pytest.mark.parametrize("name", ["target_heatmaps", "input_cells", "shot"])
def test_frames_come_in_the_order_asked_for(stores: dict[str, Path], name: str, positions: list[Any]) -> None:
    store = open_store(stores["brace"])
    whole = np.asarray(zarr.open_group(store.path, mode="r")[name][:128])
    asked = np.asarray(positions, np.int64)
    np.testing.assert_array_equal(store.frames(name, asked), whole[asked])


def test_frames_do_not_change_the_positions_asked_for(stores: dict[str, Path]) -> None:
    asked = np.asarray([9, 2, 9])
    open_store(stores["brace"]).frames("shot", asked)
    assert asked.tolist() == [9, 2, 9]


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_knows_its_sequence(stores: dict[str, Path], name: str) -> None:
    store = open_store(stores[name])
    starts, lengths = store["sequence_start"].tolist(), store["sequence_length"].tolist()
    expected = [i for i, length in enumerate(lengths) for _ in range(length)]
    assert store.frame_sequence.tolist() == expected
    assert starts == [expected.index(i) for i in range(len(lengths))]


def test_videos_of_one_name_in_two_datasets_are_two(store: Path) -> None:
    edit_table(store, "sequence_dataset", ["brace"] * 5 + ["penn_action"] * 7)
    edit_table(store, "sequence_video", [*"abacc", *"aabbddd"])
    made = open_store(store)
    # By dataset, then by name: a, b, c of the first are 0, 1, 2, and a, b, d of the other 3, 4, 5.
    assert made.frame_video[made["sequence_start"]].tolist() == [0, 1, 0, 2, 2, 3, 3, 4, 4, 5, 5, 5]


@pytest.mark.parametrize(("more", "fewer"), [(1, 0), (40, 40), (41, 41)], ids=["sum", "none", "negative"])
def test_lengths_that_do_not_add_up_are_damage(store: Path, more: int, fewer: int) -> None:
    """Nor do those of sequences of no frame, though the sum is right."""
    first, second, *rest = open_store(store)["sequence_length"].tolist()
    assert second == 40
    edit_table(store, "sequence_length", [first + more, second - fewer, *rest])
    with pytest.raises(IntegrityError, match=r"sequence_length: expected lengths that sum up to \d+"):
        _ = open_store(store).frame_sequence


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("split", [*SPLITS, "all"])
@pytest.mark.parametrize("name", NAMES)
def test_windows_are_those_found_by_looking_at_every_frame(
    stores: dict[str, Path], name: str, split: str, step: int
) -> None:
    store = open_store(stores[name])
    sequence, number, shot, splits = (
        a.tolist() for a in (store.frame_sequence, store["frame_number"], store["shot"], store["split"])
    )
    expected, free = [], 0
    for start in range(len(number) - 4 * step):
        whole = range(start, start + 4 * step + 1)
        good = len({(sequence[i], shot[i], number[i] - i) for i in whole}) == 1
        good = good and (split == "all" or {splits[i] for i in whole} == {SPLITS[split]})
        if good and (split == "train" or start >= free):
            expected.append(start)
            free = start + 4 * step + 1
    assert store.windows(split, step=step).tolist() == expected


def test_every_usual_split_has_windows(stores: dict[str, Path]) -> None:
    for name, splits in (("brace", ("train", "validation", "test")), ("climbalong", tuple(SPLITS))):
        assert all(len(open_store(stores[name]).windows(split)) for split in splits)


def test_windows_of_another_length(stores: dict[str, Path]) -> None:
    store = open_store(stores["speed21"])
    assert len(store.windows("train", length=1)) == (store["split"] == SPLITS["train"]).sum()
    assert len(store.windows("all", length=10_000)) == 0


def test_an_unknown_split_is_refused_with_the_choices(stores: dict[str, Path]) -> None:
    store = open_store(stores["brace"])
    with pytest.raises(ChoiceError, match="'val': expected one of train, validation, test, held_out, all"):
        store.windows("val")


@pytest.mark.parametrize("name", ["brace", "penn_action", "speed21"])
def test_looked_up_inputs_are_the_stored_ones(stores: dict[str, Path], name: str) -> None:
    store = open_store(stores[name])
    at = np.arange(0, len(store), 7)
    assert store.sigmas == (1.0, 1.5, 2.0, 2.5, 3.0)
    np.testing.assert_array_equal(np.asarray(store.sigmas)[store.sigma_numbers()], store["input_sigma"])
    found = heatmaps.render(store.input_table, store["input_cells"][at], store.sigma_numbers(at))
    stored = store.frames("input_heatmaps", at)
    np.testing.assert_array_equal(found.view(np.uint16), stored.view(np.uint16))


def test_a_detector_has_no_sigmas(stores: dict[str, Path]) -> None:
    assert open_store(stores["climbalong"]).sigmas == ()


# Stores that must not open.


def truncate(store: Path) -> str:
    path = store / "target_cells/c/0/0/0"
    os.truncate(path, path.stat().st_size - 1)
    return "target_cells/c/0/0/0"


def empty_out(store: Path) -> str:
    os.truncate(store / "shot/c/0", 0)
    return "shot/c/0"


def remove(name: str) -> Callable[[Path], str]:
    def damage(store: Path) -> str:
        (store / name).unlink()
        return name

    return damage


def add(name: str) -> Callable[[Path], str]:
    def damage(store: Path) -> str:
        path = store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("more")
        return name

    return damage


def link_file(store: Path) -> str:
    path = store / "shot/c/0"
    path.rename(store.parent / "elsewhere")
    path.symlink_to(store.parent / "elsewhere")
    return "shot/c/0"


def link_folder(store: Path) -> str:
    path = store / "shot"
    path.rename(store.parent / "elsewhere")
    path.symlink_to(store.parent / "elsewhere")
    return "shot"


def device(store: Path) -> str:
    path = store / "shot/c/0"
    path.unlink()
    os.mkfifo(path)
    return "shot/c/0"


def manifest_with(**changes: Any) -> Callable[[Path], str]:
    def damage(store: Path) -> str:
        edit_manifest(store, lambda manifest: manifest.update(changes))
        return MANIFEST_NAME

    return damage


def manifest_path(path: str) -> Callable[[Path], str]:
    def damage(store: Path) -> str:
        edit_manifest(store, lambda manifest: manifest["files"][0].update(path=path))
        return MANIFEST_NAME

    return damage


def garbage(content: bytes) -> Callable[[Path], str]:
    def damage(store: Path) -> str:
        (store / MANIFEST_NAME).write_bytes(content)
        return MANIFEST_NAME

    return damage


DAMAGE: dict[str, Callable[[Path], str]] = {
    "no manifest": remove(MANIFEST_NAME),
    "file missing": remove("input_heatmaps/c/0/0/0/0"),
    "metadata missing": remove("zarr.json"),
    "one more file": add("target_cells/c/1/0/0"),
    "one more hidden file": add(".hidden/x"),
    "file cut short": truncate,
    "file empty": empty_out,
    "file linked": link_file,
    "folder linked": link_folder,
    "file is a pipe": device,
    "path with ..": manifest_path("../a.zarr/zarr.json"),
    "absolute path": manifest_path("/etc/passwd"),
    "other kind": manifest_with(kind="coordinates"),
    "other version": manifest_with(format_version=2),
    "other manifest version": manifest_with(manifest_version=1),
    "unknown field": manifest_with(colour="red"),
    "no files": manifest_with(files=None),
    "other digest of its own": manifest_with(digest="0" * 64),
    "manifest empty": garbage(b""),
    "manifest no JSON": garbage(b"<html>login</html>"),
    "manifest of zeros": garbage(b"\0" * 4096),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_store_does_not_open_and_the_file_is_named(store: Path, what: str) -> None:
    name = DAMAGE[what](store)
    with pytest.raises(IntegrityError) as caught:
        open_store(store)
    assert any(fault.startswith(f"{store}/{name}: ") for fault in caught.value.faults), caught.value.faults
    for quick in (False, True):
        _, problems = verify(store, quick=quick)
        assert name in {problem.file for problem in problems}


def test_all_problems_are_listed_at_once(store: Path) -> None:
    names = {truncate(store), empty_out(store), add("x/y")(store), remove("split/c/0")(store)}
    with pytest.raises(IntegrityError) as caught:
        open_store(store)
    assert len(caught.value.faults) == 4
    assert {problem.file for problem in verify(store)[1]} == names


@pytest.mark.parametrize("read", [open_store, verify])
def test_nothing_at_the_path_is_bad_input(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(BadInputError, match=r"gone\.zarr: expected a store, found nothing"):
        read(tmp_path / "gone.zarr")


def test_an_empty_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"manifest\.json"):
        open_store(tmp_path)
    assert [p.file for p in verify(tmp_path)[1]] == [MANIFEST_NAME]


def test_a_plain_file_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    path.write_text("not a folder")
    with pytest.raises(PoseDataError, match=r"a\.zarr"):
        open_store(path)


def set_shape(name: str, shape: list[int]) -> Callable[[dict[str, Any]], None]:
    def change(metadata: dict[str, Any]) -> None:
        metadata["consolidated_metadata"]["metadata"][name]["shape"] = shape

    return change


def set_type(name: str, dtype: str) -> Callable[[dict[str, Any]], None]:
    def change(metadata: dict[str, Any]) -> None:
        metadata["consolidated_metadata"]["metadata"][name]["data_type"] = dtype

    return change


def drop(name: str) -> Callable[[dict[str, Any]], None]:
    def change(metadata: dict[str, Any]) -> None:
        del metadata["consolidated_metadata"]["metadata"][name]

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_shape("shot", [10**15]), r"shot\.shape: expected \[\d+\], found \[1000000000000000\]"),
        (set_shape("shot", [7]), r"shot\.shape: expected \[\d+\], found \[7\]"),
        (set_type("split", "uint16"), r'split\.data_type: expected "uint8", found "uint16"'),
        (drop("target_cells"), r"metadata\.target_cells: expected .*, found nothing"),
    ],
    ids=["absurd length", "short", "other dtype", "array missing"],
)
def test_arrays_other_than_the_schema_says_are_named(
    store: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    edit_metadata(store, change)
    with pytest.raises(IntegrityError, match=f"a.zarr/zarr.json: .*{words}"):
        open_store(store)


# Damage that only hashes show.


@pytest.mark.parametrize("name", ["shot", "target_points", "sequence_name", "input_heatmaps"])
def test_a_sound_file_in_the_place_of_another_is_never_read(store: Path, name: str) -> None:
    """As two files that were swapped: sizes and checksums are right, the hash is not."""

    def swap(manifest: dict[str, Any]) -> None:
        for file in manifest["files"]:
            if file["path"].startswith(f"{name}/c/"):
                file["sha256"] = "0" * 64

    edit_manifest(store, swap)
    opened = open_store(store)
    other = "split" if name == "shot" else "shot"
    assert len(opened[other]) == len(opened)
    for read in (lambda: opened[name], lambda: opened.frames(name, np.arange(3))):
        with pytest.raises(IntegrityError, match=f"{name}/c/0.*: expected sha256 0000"):
            read()


def test_a_file_that_went_missing_after_the_opening_is_told(store: Path) -> None:
    opened = open_store(store)
    (store / "shot" / "c" / "0").unlink()
    with pytest.raises(IntegrityError, match=r"shot/c/0: .* found missing"):
        opened["shot"]


def test_an_array_that_is_not_there_is_no_damage(stores: dict[str, Path]) -> None:
    store = open_store(stores["climbalong"])
    for read in (
        lambda: store["nonsense"],
        lambda: store.frames("input_sigma", np.arange(3)),
        lambda: next(store.pieces("input_cells", np.arange(3))),
    ):
        with pytest.raises(ChoiceError, match=r"climbalong\.zarr: array '\w+': expected one of .*target_points"):
            read()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_disk_that_fails_is_no_damage(store: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(number, "failing", str(path))

    opened = open_store(store)
    opened["shot"]
    monkeypatch.setattr(Path, "read_bytes", fail)
    with pytest.raises(OSError, match="failing"):
        opened["shot"]


def test_a_shard_without_an_index_is_damage(store: Path) -> None:
    opened = open_store(store)
    opened._prove("target_heatmaps")  # as by another reading, before it was cut short
    os.truncate(store / "target_heatmaps/c/0/0/0/0", 100)
    with pytest.raises(IntegrityError, match=r"target_heatmaps/c/0/0/0/0: expected an index of 2052 bytes"):
        opened.frames("target_heatmaps", np.arange(1))


@pytest.mark.parametrize("position", [-1, 10**6])
def test_frames_that_are_not_there_are_refused(store: Path, position: int) -> None:
    with pytest.raises(ChoiceError, match="expected positions from 0 to"):
        open_store(store).frames("shot", np.asarray([0, position]))


def test_a_store_is_not_replaced_while_it_is_verified(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def try_to_replace(path: Path) -> str:
        with pytest.raises(InUseError), locks.unread(store):
            pytest.fail("replaced")
        monkeypatch.undo()
        seen.append(path)
        return sha256_file(path)

    monkeypatch.setattr("posedata.store.proof.sha256_file", try_to_replace)
    assert verify(store)[1] == []
    assert len(seen) == 1
    with locks.unread(store):
        pass


def test_every_file_is_hashed_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, seen = open_store(store), []

    def count(path: Path) -> str:
        seen.append(path.relative_to(store).as_posix())
        return sha256_file(path)

    monkeypatch.setattr("posedata.store.proof.sha256_file", count)
    for _ in range(3):
        opened.frames("target_heatmaps", np.arange(0, 9, 2))
        opened["shot"]
    assert seen == ["target_heatmaps/c/0/0/0/0", "shot/c/0"]


def test_a_file_beside_the_arrays_is_proven(store: Path) -> None:
    opened = open_store(store)
    assert opened.file("sources.csv") == store / "sources.csv"
    content = bytearray((store / "sources.csv").read_bytes())
    content[7] ^= 1
    (store / "sources.csv").write_bytes(content)
    with pytest.raises(IntegrityError, match=r"sources\.csv: expected sha256"):
        opened.file("sources.csv")


def test_verify_finds_a_flipped_bit_in_every_file_but_the_manifest(store: Path) -> None:
    missed = []
    for name in names_of(store):
        if name == MANIFEST_NAME:
            continue
        path = store / name
        whole = path.read_bytes()
        for at in {0, len(whole) // 2, len(whole) - 1}:
            flip(path, at)
            _, problems = verify(store)
            if [problem.file for problem in problems] != [name]:
                missed.append((name, at, problems))
            path.write_bytes(whole)
    assert missed == []
    assert verify(store)[1] == []


def test_verify_finds_a_flipped_bit_anywhere_in_the_manifest(store: Path) -> None:
    path = store / MANIFEST_NAME
    whole = path.read_bytes()
    missed = []
    for at in range(0, len(whole), 61):
        flip(path, at)
        if not verify(store)[1]:
            missed.append(whole[max(at - 20, 0) : at + 20].decode())
        path.write_bytes(whole)
    assert missed == []


def test_verify_finds_swapped_files(store: Path) -> None:
    chunks = [name for name in names_of(store) if "/c/" in name]
    missed = []
    for one, two in pairwise(chunks):
        first, second = (store / name for name in (one, two))
        contents = first.read_bytes(), second.read_bytes()
        first.write_bytes(contents[1])
        second.write_bytes(contents[0])
        if contents[0] != contents[1] and {p.file for p in verify(store)[1]} != {one, two}:
            missed.append((one, two))
        first.write_bytes(contents[0])
        second.write_bytes(contents[1])
    assert missed == []


def test_verify_names_the_damage(store: Path) -> None:
    flip(store / "shot/c/0", 3)
    (problem,) = verify(store)[1]
    assert problem.file == "shot/c/0"
    assert "expected sha256" in problem.problem


@pytest.mark.parametrize("quick", [False, True])
def test_verify_lists_all_problems_of_metadata(quick: bool, store: Path) -> None:
    names = list(open_store(store).arrays)
    assert len(names) > 10
    edit_metadata(store, lambda metadata: [set_type(name, "complex64")(metadata) for name in names])
    with pytest.raises(IntegrityError) as caught:
        open_store(store)
    assert len(caught.value.faults) == 11
    files, problems = verify(store, quick=quick)
    assert files == len(names_of(store)) - 1  # all but the manifest
    assert [problem.file for problem in problems] == ["zarr.json"] * len(names)
    assert not [problem for problem in problems if "see posedata verify" in problem.problem]


def test_verify_makes_the_content_digest_anew(store: Path) -> None:
    edit_manifest(store, lambda manifest: manifest.update(content_digest="0" * 64))
    (problem,) = verify(store)[1]
    assert problem.file == MANIFEST_NAME
    assert problem.problem.startswith(f"content digest: expected {'0' * 64}, found ")
    assert verify(store, quick=True)[1] == []


def test_quick_hashes_metadata_alone(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[Path] = []

    def record(path: Path) -> str:
        hashed.append(path)
        return sha256_file(path)

    monkeypatch.setattr("posedata.store.proof.sha256_file", record)
    monkeypatch.setattr(opened, "content_digest", lambda *arguments: pytest.fail(f"read {arguments}"))
    flip(store / "shot/c/0", 3)
    assert verify(store, quick=True)[1] == []
    assert {path.name for path in hashed} == {"zarr.json"}


def test_verify_tells_how_many_bytes_it_hashes(stores: dict[str, Path]) -> None:
    told: list[tuple[str, int]] = []
    done: list[int] = []

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        told.append((unit, total))
        yield done.append

    verify(stores["brace"], progress=progress)
    size = sum((stores["brace"] / name).stat().st_size for name in names_of(stores["brace"]) if name != MANIFEST_NAME)
    assert told == [("bytes", size)]
    assert sum(done) == size


@pytest.mark.parametrize("content", [b" ", b"{", b"\xff"], ids=["blank", "brackets", "no UTF-8"])
def test_garbled_metadata_of_the_right_size_does_not_open(store: Path, content: bytes) -> None:
    path = store / "zarr.json"
    path.write_bytes(content * path.stat().st_size)
    with pytest.raises(IntegrityError, match=r"zarr\.json"):
        open_store(store)


def test_flipped_metadata_does_not_open_as_something_else(store: Path) -> None:
    path = store / "zarr.json"
    whole = path.read_bytes()
    wrong = []
    for at in range(0, len(whole), 251):
        flip(path, at)
        around = whole[max(at - 20, 0) : at + 20].decode()
        try:
            open_store(store)
            wrong.append(("opened", around))
        except IntegrityError:
            pass
        except Exception as error:  # noqa: BLE001
            wrong.append((type(error).__name__, around))
        path.write_bytes(whole)
    assert wrong == []


def test_a_changed_sigma_in_the_metadata_does_not_open(store: Path) -> None:
    path = store / "zarr.json"
    content = path.read_text()
    assert "1.5" in content
    path.write_text(content.replace("1.5", "1.4"))
    with pytest.raises(IntegrityError):
        open_store(store)


@pytest.mark.parametrize("name", ["shot/c/0", "annotated/c/0/0", "target_heatmaps/c/0/0/0/0"])
def test_a_damaged_chunk_is_an_integrity_error_when_read(store: Path, name: str) -> None:
    flip(store / name, 3)
    opened = open_store(store)
    with pytest.raises(IntegrityError, match=name.split("/")[0]):
        opened.frames(name.split("/")[0], np.arange(32))


def test_a_piece_that_cannot_be_decoded_is_an_integrity_error(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes, out: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("posedata.store.arrays.decode", broken)
    pieces = open_store(store).pieces("input_heatmaps", np.arange(3))
    with pytest.raises(IntegrityError, match=r"input_heatmaps: expected sound data, found .*broken"):
        next(pieces)


def test_a_problem_is_a_file_and_what_is_wrong() -> None:
    assert Problem("a", "b") == Problem(file="a", problem="b")


def test_a_chunk_that_nobody_can_decode_is_a_problem_of_its_file(store: Path) -> None:
    content = b"garbage"
    (store / "box" / "c" / "0" / "0").write_bytes(content)

    def agree(manifest: dict[str, Any]) -> None:
        (entry,) = (file for file in manifest["files"] if file["path"] == "box/c/0/0")
        entry.update(size=len(content), sha256=hashlib.sha256(content).hexdigest())

    edit_manifest(store, agree)
    (problem,) = verify(store)[1]
    assert "box/c/0/0: expected another crc32c" in problem.problem
    assert "see posedata verify" not in problem.problem
