import pytest

from posedata.progress import silent


def test_silent_takes_every_advance_and_writes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with silent("reading", 3, "files") as advance:
        advance(1)
        advance(2)
    assert capfd.readouterr() == ("", "")


def test_silent_lets_exceptions_through() -> None:
    with pytest.raises(KeyError, match="inside"), silent("reading", 3, "files"):
        raise KeyError("inside")
