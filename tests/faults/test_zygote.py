"""The environment of commands, and when they are forks."""

import pytest
import zygote as zygotes
from zygote import Zygote, environment


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that were begun with two variables."""
    monkeypatch.setattr(zygotes, "_AT_FIRST", {"PATH": "/bin", "POSEDATA_HOME": "/data"})
    for name in environment():
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("begun")
def test_what_packages_set_as_they_are_imported_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KMP_INIT_AT_FORK", "LD_LIBRARY_PATH", "TORCHINDUCTOR_CACHE_DIR", "PATH"):
        monkeypatch.setenv(name, "x")
    assert environment() == {"PATH": "/bin"}


@pytest.mark.usefixtures("begun")
def test_what_tests_set_and_delete_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "here")
    assert environment() == {"PATH": "/bin", "AWS_ENDPOINT_URL": "here"}
    monkeypatch.setenv("POSEDATA_HOME", "there")
    assert environment(AWS_ENDPOINT_URL="elsewhere", KMP_BLOCKTIME="0") == {
        "PATH": "/bin",
        "POSEDATA_HOME": "there",
        "AWS_ENDPOINT_URL": "elsewhere",
        "KMP_BLOCKTIME": "0",
    }


@pytest.mark.parametrize("name", ["KMP_BLOCKTIME", "LD_LIBRARY_PATH", "PYTHONPATH", "TORCHINDUCTOR_CACHE_DIR"])
def test_what_is_looked_at_while_it_is_imported_needs_a_process_of_its_own(zygote: Zygote, name: str) -> None:
    assert not zygote.fits(environment(**{name: "x"}))


def test_a_variable_that_is_gone_is_another_environment(zygote: Zygote) -> None:
    assert not zygote.fits({name: value for name, value in environment().items() if name != "PATH"})


def test_commands_are_forks_whatever_was_imported(zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KMP_INIT_AT_FORK", "x")
    assert zygote.fits(environment(POSEDATA_HOME="x", AWS_REGION="y"))
