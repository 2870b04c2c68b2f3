from pathlib import Path

import pytest

from posedata.errors import BadInputError, ChoiceError
from posedata.store.reader import Store
from posetrain.clips.kind import CLIPS
from posetrain.commands.options import TRAINING_OPTIONS
from posetrain.crops.kind import CROPS
from posetrain.models import MODELS, kinds
from posetrain.refining import WINDOWS


def test_the_kinds_are_those_of_the_models() -> None:
    assert kinds() == (WINDOWS, CROPS, CLIPS)
    assert {name for name, architecture in MODELS.items() if architecture.kind is CROPS} == {
        "hourglass",
        "hourglass-ae",
        "hourglass-coded",
    }


def test_a_store_is_opened_as_its_kind_and_as_no_other(noisy: Store) -> None:
    opened = WINDOWS.open(noisy.path, "conv3d")
    assert isinstance(opened, Store)
    assert len(opened) == len(noisy)
    with pytest.raises(BadInputError, match="image-crops for hourglass, found temporal-heatmaps"):
        CROPS.open(noisy.path, "hourglass")
    with pytest.raises(BadInputError, match="found nothing"):
        CROPS.open(Path("nowhere.zarr"), "hourglass")


def test_options_of_other_kinds_are_refused_all_at_once() -> None:
    with pytest.raises(ChoiceError, match=r"^--frame-step, --window: expected .* found with x"):
        CROPS.refuse({"window", "frame_step", "epochs", "stacks"}, kinds(), "x")
    CROPS.refuse({"epochs", "stacks", "seed"}, kinds(), "x")
    WINDOWS.refuse({"window", "feed", "span", "input"}, kinds(), "x")
    assert WINDOWS.foreign(kinds()) == {"stacks", "width", "backbone", "frozen"}


def test_options_that_kinds_name_are_options_of_commands() -> None:
    from posetrain.cli import cli

    known = {parameter.name for name in ("run", "eval", "report") for parameter in cli.commands[name].params}
    assert all(kind.options <= known for kind in kinds())


def test_a_sweep_takes_all_options_of_trainings_but_those_of_other_kinds() -> None:
    from posetrain.cli import cli

    known = {parameter.name for parameter in cli.commands["sweep"].params}
    assert {*TRAINING_OPTIONS} - known == WINDOWS.foreign(kinds())
