"""What several commands share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from posedata.store.opened import Opened

_Command = TypeVar("_Command", bound=Callable[..., Any])

REFINER_NAMES = ("conv3d", "deciwatch", "convlstm-sum", "convlstm-concat", "smoothnet", "mixer")
MODEL_NAMES = (
    *REFINER_NAMES,
    "mixer-fitted",
    "mixer-few",
    "hourglass",
    "hourglass-ae",
    "hourglass-coded",
    "resnet-lstm",
)
"""Those of `posetrain.models.MODELS`, which takes a second to import."""

_TRAINING = {
    "window": click.option(
        "--window",
        type=click.IntRange(1),
        default=5,
        help="Frames that a refiner sees.  [default: 5; mixer: 33, mixer-few: 5]",
    ),
    "epochs": click.option(
        "--epochs",
        type=click.IntRange(1),
        default=50,
        help="At most.  [default: 50; mixer: 16, mixer-fitted: 4, mixer-few: 12; hourglass-ae: 100; resnet-lstm: 20]",
    ),
    "batch_size": click.option(
        "--batch-size",
        type=click.IntRange(1),
        default=16,
        help="Windows, or crops, a step.  [default: 16; mixer: 64, mixer-few: 384; resnet-lstm: 4]",
    ),
    "optimizer": click.option(
        "--optimizer",
        type=click.Choice(["adam", "muon", "rmsprop", "sgd"]),
        default="adam",
        help="Muon is for mixers, and takes torch 2.9.  [default: adam; mixer: muon; hourglass: rmsprop; "
        "hourglass-ae: sgd]",
    ),
    "learning_rate": click.option(
        "--learning-rate",
        type=float,
        default=1e-3,
        help="At the start.  [default: 0.001; mixer: 0.003, mixer-few: 0.0015; hourglass: 0.00025, hourglass-ae: "
        "0.0005; resnet-lstm: 0.0005; for finetuning 0.0001]",
    ),
    "schedule": click.option(
        "--schedule",
        type=click.Choice(["plateau", "cosine", "once", "steps", "constant"]),
        default="plateau",
        help="When the rate falls: as validation asks for it, steadily over --epochs, once as validation asks for it, "
        "every so many epochs, never.  [default: plateau; mixer: cosine; hourglass: once, hourglass-ae: steps; "
        "resnet-lstm: constant]",
    ),
    "average": click.option(
        "--average",
        type=click.FloatRange(0, 1, max_open=True),
        default=0.0,
        help="Keep a running mean of the weights, with this share of it a step.  [default: 0; mixer: 0.999]",
    ),
    "max_windows": click.option(
        "--max-windows", type=click.IntRange(1), help="Or crops: at most so many of each split.  [default: all]"
    ),
    "sampling_step": click.option(
        "--sampling-step", type=click.IntRange(1), default=4, show_default=True, help="Of deciwatch, in frames."
    ),
    "stacks": click.option(
        "--stacks", type=click.IntRange(1, 16), default=1, show_default=True, help="Of hourglass, one after the other."
    ),
    "width": click.option(
        "--width",
        type=click.IntRange(2, 1024),
        default=256,
        show_default=True,
        help="Of hourglass, channels: an even number. A quarter of them is some eight times as fast.",
    ),
    "backbone": click.option(
        "--backbone",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        metavar="DIR",
        help="Of resnet-lstm: a pretrained ResNet-50, as transformers saves it.  [default: fresh weights]",
    ),
    "frozen": click.option("--frozen", is_flag=True, help="Of resnet-lstm: the backbone stays as it is."),
    "shuffle": click.option(
        "--shuffle",
        type=click.Choice(["windows", "blocks"]),
        default="windows",
        help="One by one, or in blocks: faster where a large store is decoded.  [default: windows; hourglass, "
        "resnet-lstm: blocks]",
    ),
    "precision": click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16"]),
        default="float32",
        show_default=True,
        help="Of the model in training; bfloat16 is faster. Scores are float32.",
    ),
    "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of weights and order."),
}
TRAINING_OPTIONS = tuple(_TRAINING)
"""Names of the options that `training_options` adds: fields of the configuration."""

REFINING_OPTIONS = tuple(name for name in _TRAINING if name not in {"stacks", "width", "backbone", "frozen"})
"""Likewise, of `refining_options`: those that mean something with refiners."""


def training_options(command: _Command) -> _Command:
    """How models are trained."""
    return _with(TRAINING_OPTIONS, command)


def refining_options(command: _Command) -> _Command:
    """How refiners are trained."""
    return _with(REFINING_OPTIONS, command)


def _with(names: tuple[str, ...], command: _Command) -> _Command:
    for name in reversed(names):
        command = _TRAINING[name](command)
    return command


def device_option(command: _Command) -> _Command:
    """Where models run."""
    return click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")(command)


def device_options(command: _Command) -> _Command:
    """Where models run, and how heatmaps get there."""
    feed = click.option(
        "--feed",
        type=click.Choice(["auto", "store", "render"]),
        default="auto",
        show_default=True,
        help="Decode heatmaps from the store, or look them up on the device: the same bits.",
    )
    return device_option(feed(command))


def store_name(store: Opened) -> str:
    """A store's path; synthetic data is marked."""
    return f"{store.path}{' (synthetic)' if store.attributes['synthetic'] else ''}"


def pck_line(scores: Mapping[str, float]) -> str:
    """Percents at their thresholds, in a line."""
    return "   ".join(f"@{threshold} {percent:5.1f} %" for threshold, percent in scores.items()) or "nothing to score"
