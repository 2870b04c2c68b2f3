from pathlib import Path

import pytest

from posedata import errors


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("PoseDataError", 1),
        ("ChoiceError", 2),
        ("BadInputError", 3),
        ("IntegrityError", 4),
        ("ConflictError", 6),
    ],
)
def test_every_error_has_its_exit_code_and_the_common_base(name: str, code: int) -> None:
    kind = getattr(errors, name)
    assert kind.exit_code == code
    assert issubclass(kind, errors.PoseDataError)


def test_an_error_keeps_every_fault_and_prints_a_line_each() -> None:
    error = errors.BadInputError("first", "second")
    assert error.faults == ("first", "second")
    assert str(error) == "first\nsecond"


def test_bad_file_names_the_file_in_front_of_every_fault() -> None:
    error = errors.bad_file(Path("a/b.json"), ["x: expected 1, found 2", "y: expected 3, found 4"])
    assert isinstance(error, errors.BadInputError)
    assert error.faults == ("a/b.json: x: expected 1, found 2", "a/b.json: y: expected 3, found 4")


@pytest.mark.parametrize(("count", "last"), [(0, []), (100, ["99"]), (101, ["99", "1 faults more"])])
def test_of_many_faults_the_first_hundred_are_told(count: int, last: list[str]) -> None:
    found = errors.first_faults([str(number) for number in range(count)])
    assert found[:100] == [str(number) for number in range(min(count, 100))]
    assert found[99:] == last


def test_thousands_of_faults_are_told_with_a_comma() -> None:
    assert errors.first_faults(["x"] * 1_234)[-1] == "1,134 faults more"
