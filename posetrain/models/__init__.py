"""The architectures, one module each, and what they work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from posedata.errors import ChoiceError, IntegrityError
from posetrain.clips.kind import CLIPS
from posetrain.clips.tasks import LIFTING
from posetrain.config import TrainConfig
from posetrain.crops.kind import CROPS
from posetrain.crops.tasks import DETECTION, REBUILDING
from posetrain.data import need_tight_boxes
from posetrain.kinds import Kind
from posetrain.models.autoencoder import CodeAlone, CodedHourglass
from posetrain.models.conv3d import Conv3D
from posetrain.models.convlstm import BiConvLSTMConcat, BiConvLSTMSum
from posetrain.models.deciwatch import DeciWatch
from posetrain.models.fitted import FEW, FewMixer, FittedMixer, twice
from posetrain.models.hourglass import StackedHourglass
from posetrain.models.mixer import Mixer
from posetrain.models.resnet_lstm import ResNetLstm
from posetrain.models.smoothnet import SmoothNet
from posetrain.refining import WINDOWS
from posetrain.tasks import FILLED_BOXES, HEATMAPS, POINTS, SMOOTH_POINTS, TRACKS


@dataclass(frozen=True)
class Architecture:
    """A model, its task, and the kind of store that it is trained on.

    Attributes:
        make: from a configuration to a model; raises ChoiceError if they do not fit.
        task: what it is given, what it is asked, and how it is judged: the `posetrain.kinds.Lesson` of its kind of
            store, for windows a `posetrain.tasks.Task`.
        kind: of the stores that it is trained on.
        any_window: whether it takes windows of any length and step, whatever it was trained on.
        regime: fields of the configuration that are other than `TrainConfig` has them, where a user does not choose.
        after: architectures whose runs it begins with: it takes their weights, and trains as if it was new.
        taking: what their weights become in it.
        need: raises BadInputError if a store of that kind is nothing to train it on; None = all are.
        fresh: how its weights begin where they have two dimensions or more; None = as torch has them.
    """

    make: Callable[[TrainConfig], nn.Module]
    task: Any
    kind: Kind = WINDOWS
    any_window: bool = False
    regime: Mapping[str, Any] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    taking: Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]] = dict
    need: Callable[[Any], None] | None = None
    fresh: Callable[[Tensor], Tensor] | None = nn.init.xavier_uniform_


_MIXING = {
    "window": 33,
    "epochs": 16,
    "batch_size": 64,
    "optimizer": "muon",
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "average": 0.999,
}

_FITTING = {**_MIXING, "epochs": 4}

_FITTING_FEW = {**_MIXING, "window": 5, "epochs": 12, "batch_size": 384, "learning_rate": 1.5e-3}

_DETECTING = {
    "epochs": 50,
    "batch_size": 16,
    "optimizer": "rmsprop",
    "learning_rate": 2.5e-4,
    "schedule": "once",
    "reduce_after": 5,
    "reduce_factor": 0.2,
    "shuffle": "blocks",
}
"""Seed 002, section 1.1; in blocks, for pixels are decoded 32 crops at a time."""

_REBUILDING = {
    "epochs": 100,
    "batch_size": 16,
    "optimizer": "sgd",
    "learning_rate": 5e-4,
    "schedule": "steps",
    "reduce_after": 25,
    "reduce_factor": 0.5,
    "shuffle": "blocks",
}
"""Seed 001, section 7.2."""

_LIFTING = {"epochs": 20, "batch_size": 4, "learning_rate": 5e-4, "schedule": "constant", "shuffle": "blocks"}
"""Seed 003: the rate stays; in blocks, for frames are decoded 32 at a time."""


def _few(config: TrainConfig) -> nn.Module:
    if config.window > FEW:
        raise ChoiceError(f"--window {config.window}: expected at most {FEW} with {config.model}, for few frames")
    return FewMixer()


def _of_one_stack(config: TrainConfig, make: Callable[[int], nn.Module]) -> nn.Module:
    if config.stacks > 1:
        raise ChoiceError(f"--stacks {config.stacks}: expected 1 with {config.model}, whose hourglass is one")
    return make(config.width)


MODELS: Mapping[str, Architecture] = {
    "conv3d": Architecture(lambda config: Conv3D(), HEATMAPS),
    "deciwatch": Architecture(lambda config: DeciWatch(config.window, config.sampling_step), POINTS),
    "convlstm-sum": Architecture(lambda config: BiConvLSTMSum(), HEATMAPS),
    "convlstm-concat": Architecture(lambda config: BiConvLSTMConcat(), HEATMAPS),
    "smoothnet": Architecture(lambda config: SmoothNet(config.window), SMOOTH_POINTS),
    "mixer": Architecture(lambda config: Mixer(), TRACKS, any_window=True, regime=_MIXING, fresh=None),
    "mixer-fitted": Architecture(
        lambda config: FittedMixer(),
        TRACKS,
        any_window=True,
        regime=_FITTING,
        after=("mixer",),
        need=need_tight_boxes,
        fresh=None,
    ),
    "mixer-few": Architecture(
        _few,
        FILLED_BOXES,
        any_window=True,
        regime=_FITTING_FEW,
        after=("mixer-fitted",),
        taking=twice,
        need=need_tight_boxes,
        fresh=None,
    ),
    "hourglass": Architecture(
        lambda config: StackedHourglass(config.stacks, config.width),
        DETECTION,
        CROPS,
        regime=_DETECTING,
        fresh=nn.init.xavier_normal_,
    ),
    "hourglass-ae": Architecture(
        lambda config: _of_one_stack(config, CodeAlone),
        REBUILDING,
        CROPS,
        regime=_REBUILDING,
        after=("hourglass",),
        fresh=nn.init.xavier_normal_,
    ),
    "hourglass-coded": Architecture(
        lambda config: _of_one_stack(config, CodedHourglass),
        DETECTION,
        CROPS,
        regime=_DETECTING,
        after=("hourglass-ae",),
        fresh=nn.init.xavier_normal_,
    ),
    "resnet-lstm": Architecture(
        lambda config: ResNetLstm(config.backbone, config.frozen), LIFTING, CLIPS, regime=_LIFTING, fresh=None
    ),
}
"""Name -> architecture."""


def find_model(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        ChoiceError: if there is none.
    """
    if name not in MODELS:
        raise ChoiceError(f"--model {name}: expected one of {', '.join(MODELS)}")
    return MODELS[name]


def find_refiner(name: str, what: object) -> Architecture:
    """Likewise, of a model that refines windows.

    Args:
        name: of the architecture.
        what: a run or a file that is one, or how it was asked for; to tell it.

    Raises:
        ChoiceError: if there is none, or it works on something else.
    """
    found = find_model(name)
    if found.kind is not WINDOWS:
        raise ChoiceError(
            f"{what}: expected a model that refines windows, found {name}, which works on stores of kind "
            f"{found.kind.name}; posetrain run trains it, posetrain eval and report score it"
        )
    return found


def kinds() -> tuple[Kind, ...]:
    """The kinds of stores that models are trained on."""
    return tuple(dict.fromkeys(architecture.kind for architecture in MODELS.values()))


def put_weights(model: nn.Module, weights: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Give a model the weights that lie at a path; raises IntegrityError if they are not of this version's model."""
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise IntegrityError(
            f"{path}: expected weights of this version's {name}, found others; train it anew"
        ) from error


def make_model(config: TrainConfig) -> nn.Module:
    """A model with fresh weights.

    Those of published refiners are Glorot uniform (seed 000, equation 1) on whatever has two dimensions or more, those
    of detectors Glorot normal (seed 002, section 1.1). A mixer
    keeps torch's: Glorot's rule takes the channels of its convolutions for connected, and makes them far too small.

    Raises:
        ChoiceError: if there is no such model, or it does not fit the configuration.
    """
    architecture = find_model(config.model)
    torch.manual_seed(config.seed)
    model = architecture.make(config)
    if architecture.fresh:
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                architecture.fresh(parameter)
    return model


def count_parameters(model: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
