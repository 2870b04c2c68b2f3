"""What all formats share: text, JSON, CSV and npz files, whole and damaged."""

import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError, ChoiceError
from posedata.formats import FORMATS, find_format
from posedata.formats.base import (
    floats,
    need_folder,
    need_items,
    number,
    read_json_object,
    read_npz,
    read_rows,
    read_text,
    to_floats,
)


def test_the_table_names_the_five_formats() -> None:
    assert sorted(FORMATS) == ["brace", "climbalong", "keypoints", "penn_action", "speed21"]
    assert [name for name, made in FORMATS.items() if made.detector] == ["climbalong"]
    assert all(made.name == name and made.source and made.licence for name, made in FORMATS.items())


def test_an_unknown_format_raises_and_lists_the_choices() -> None:
    with pytest.raises(ChoiceError, match="brace, climbalong, keypoints, penn_action, speed21"):
        find_format("mpii")


@pytest.mark.parametrize("name", ["brace", "climbalong", "keypoints", "penn_action", "speed21"])
def test_an_empty_tree_is_refused_with_where_the_data_comes_from(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        find_format(name).open(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert f"posedata sample {name}" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("brace", ["dataset"]),
        ("climbalong", ["input", "target"]),
        ("penn_action", ["labels"]),
        ("speed21", ["skeletons"]),
    ],
)
def test_a_tree_without_files_is_refused(name: str, folders: list[str], tmp_path: Path) -> None:
    for folder in folders:
        (tmp_path / folder).mkdir()
    with pytest.raises(BadInputError, match=r"expected files like .*, found none"):
        find_format(name).open(tmp_path).items()


def test_numbers_too_large_for_a_float_are_infinite() -> None:
    np.testing.assert_array_equal(floats([1, 2.5, 10**400]), [1, 2.5, np.inf])


def test_a_header_may_begin_with_a_mark_but_name_no_column_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeffa,b\n1,2\n", encoding="utf-8")
    assert list(read_rows(tmp_path / "a.csv", "a")) == [{"a": "1", "b": "2"}]
    (tmp_path / "a.csv").write_text("a,b,a\n1,2,3\n")
    with pytest.raises(BadInputError, match=r"a\.csv: header: expected each column once, found a, b, a"):
        list(read_rows(tmp_path / "a.csv", "a"))


def test_need_folder_gives_the_folder_or_tells_the_source(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    assert need_folder(tmp_path, "there", "ask Ann") == tmp_path / "there"
    for name in ("file", "absent"):
        with pytest.raises(BadInputError, match=f"{name}.*ask Ann"):
            need_folder(tmp_path, name, "ask Ann")


def test_need_items_sorts(tmp_path: Path) -> None:
    assert need_items({"b", "a10", "a9"}, tmp_path, "x") == ["a10", "a9", "b"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_unreadable_text_is_refused_with_its_name(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "text"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadInputError, match=str(path)):
        read_text(path)


def test_a_json_object_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"b": [1, 2.5], "a": {"c": null}}')
    assert read_json_object(path) == {"b": [1, 2.5], "a": {"c": None}}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' twice"),
        ('{"o": {"in": 1, "in": 1}}', "'in' twice"),
        ('{"a": [1, 2', "JSON"),
        ("", "JSON"),
        ("[1]", "object, found list"),
        ("3", "object, found int"),
        ("[" * 200_000, "JSON"),
        ('{"a":' * 200_000, "JSON"),
    ],
    ids=["duplicate", "duplicate-inside", "truncated", "empty", "list", "number", "deep-lists", "deep-objects"],
)
def test_bad_json_is_refused_with_its_name(text: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=word) as caught:
        read_json_object(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_rows_come_by_column_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('b,a\n1,"x, y"\n')
    assert list(read_rows(path, "a")) == [{"b": "1", "a": "x, y"}]


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_absent_columns_are_all_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    with pytest.raises(BadInputError, match="c, d"):
        list(read_rows(path, "c", "d"))


def test_a_csv_field_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a\n"' + "x" * 200_000)
    with pytest.raises(BadInputError, match=str(path)):
        list(read_rows(path, "a"))


@pytest.mark.parametrize("found", ["", "12a", None])
def test_what_is_no_number_is_refused_with_column_and_text(found: str | None, tmp_path: Path) -> None:
    assert number(tmp_path, {"fps": "29.97"}, "fps") == 29.97
    with pytest.raises(BadInputError, match=f"fps: expected a number, found {found!r}"):
        number(tmp_path, {"fps": found}, "fps")  # type: ignore[dict-item]


def test_arrays_of_an_npz_come_in_the_order_asked(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=np.arange(3), two=np.eye(2))
    two, one = read_npz(tmp_path / "a.npz", "two", "one")
    np.testing.assert_array_equal(two, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(one, [0, 1, 2])


def test_all_absent_arrays_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", one=np.arange(3))
    with pytest.raises(BadInputError) as caught:
        read_npz(tmp_path / "a.npz", "two", "one", "three")
    assert [fault.split(": ")[1] for fault in caught.value.faults] == ["two", "three"]


@pytest.mark.parametrize("kind", ["npy", "garbage", "empty", "absent", "truncated", "flipped"])
def test_a_damaged_npz_is_refused_with_its_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    if kind == "npy":
        np.save(tmp_path / "a.npy", np.arange(9))
        (tmp_path / "a.npy").rename(path)
    elif kind in ("truncated", "flipped"):
        np.savez(path, one=np.arange(1000))
        good = path.read_bytes()
        path.write_bytes(good[:4000] if kind == "truncated" else good[:4000] + bytes([good[4000] ^ 1]) + good[4001:])
    elif kind != "absent":
        path.write_bytes({"garbage": b"PK\3\4 not a zip", "empty": b""}[kind])
    with pytest.raises(BadInputError, match=str(path)):
        read_npz(path, "one")


def write_npy(path: Path, header: str, values: bytes = b"") -> None:
    """An .npz with one array, its header spelt out."""
    encoded = header.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("one.npy", b"\x93NUMPY\x01\x00" + len(encoded).to_bytes(2, "little") + encoded + values)


def test_a_header_of_python_2_is_read_in_silence(tmp_path: Path) -> None:
    write_npy(tmp_path / "a.npz", "{'descr': '|u1', 'fortran_order': True, 'shape': (2L, 3L), }", bytes(range(6)))
    (one,) = read_npz(tmp_path / "a.npz", "one")
    assert one.tolist() == [[0, 2, 4], [1, 3, 5]]


@pytest.mark.parametrize(
    ("shape", "values"), [("(3,)", b"ab"), ("(3,)", b"abcd"), ("(-3,)", b"abc"), ("(-1, -3)", b"abc"), ("(4, -1)", b"")]
)
def test_values_that_do_not_fit_their_header_are_refused(shape: str, values: bytes, tmp_path: Path) -> None:
    write_npy(tmp_path / "a.npz", f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}", values)
    with pytest.raises(BadInputError, match=r"expected in an \.npz file"):
        read_npz(tmp_path / "a.npz", "one")


def test_a_header_too_large_to_be_meant_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("one.npy", b"\x93NUMPY\x02\x00" + (1 << 31).to_bytes(4, "little") + b"{}")
    with pytest.raises(BadInputError, match="a header that is too large to be meant"):
        read_npz(tmp_path / "a.npz", "one")


@pytest.mark.parametrize(
    "header",
    [
        "(((",
        "{'descr': '<f8', 'shape': (3,",
        "{'a': 1}",
        "",
        "{'descr': [], 'shape': 1}",
        "{'descr': ('f4',), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
    ],
)
def test_an_npz_with_a_broken_header_is_refused(header: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_npy(path, header)
    with pytest.raises(BadInputError, match=r"expected in an \.npz file"):
        read_npz(path, "one")


def test_a_signalling_nan_becomes_a_nan_in_silence() -> None:
    signalling = np.frombuffer(bytes.fromhex("0100a07f"), "<f4")
    assert np.isnan(to_floats(signalling)).all()
    assert to_floats(np.array([3], np.uint8)).dtype == np.float64


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_no_decompressor_takes_is_refused(compression: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "plain.npz", one=np.random.default_rng(0).random(200))
    with (
        zipfile.ZipFile(tmp_path / "plain.npz") as plain,
        zipfile.ZipFile(tmp_path / "a.npz", "w", compression) as made,
    ):
        made.writestr("one.npy", plain.read("one.npy"))
    good = (tmp_path / "a.npz").read_bytes()
    for at in range(37, 600, 3):
        data = bytearray(good)
        data[at : at + 2] = b"\xff\xff"
        (tmp_path / "a.npz").write_bytes(data)
        with suppress(BadInputError):
            np.testing.assert_array_equal(*read_npz(tmp_path / "a.npz", "one"), np.random.default_rng(0).random(200))


def test_a_dropped_key_is_left_out_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"long": [1], "of": [{"long": 2, "kept": 3}]}')
    assert read_json_object(tmp_path / "a.json", dropped="long") == {"of": [{"kept": 3}]}
    with pytest.raises(BadInputError, match="at most 10 bytes"):
        read_json_object(tmp_path / "a.json", most=10)
