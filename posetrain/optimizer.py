"""What changes the weights of a model, step by step: the methods, the learning rate, the mean of the weights."""

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from posedata.errors import ChoiceError
from posetrain.config import Method, TrainConfig

_WARM = 100
"""Steps in which a cosine rate rises first."""

_LEAST = 0.01
"""Of the rate, at the end of a cosine."""

_DECAY = 0.05
"""Of Muon's weights, times the rate, what a step takes away: motion that was seen is not learned by heart."""

_YOUNG = 20
"""Steps after which a mean of weights looks back on half of its steps; it starts from nothing."""


_METHODS: Mapping[Method, tuple[str, Callable[..., torch.optim.Optimizer]]] = {
    "adam": ("adam", torch.optim.Adam),
    "muon": ("adam", torch.optim.Adam),
    "rmsprop": ("rmsprop", partial(torch.optim.RMSprop, alpha=0.99)),
    "sgd": ("sgd", partial(torch.optim.SGD, momentum=0.9)),
}
"""What changes all weights, or beside Muon the rest; constants as seed 001 has them (sections 5.1 and 7.2)."""


class Optimizer:
    """One method over all weights, or Muon over those between layers of its `blocks` and Adam over the rest.

    Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/) makes a step's matrix orthogonal before it is
    taken; its rate is scaled to Adam's (Liu et al. 2025, arXiv:2502.16982), so that one rate serves both.

    Args:
        model: whose weights are changed.
        config: method, rate and mean.
        steps: all that the training will have; a cosine ends with them.

    Raises:
        ChoiceError: if the model or this version of torch has no use for the method.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, steps: int) -> None:
        self._model, self._config, self._steps, self._taken = model, config, steps, 0
        matrices = _matrices(model) if config.optimizer == "muon" else []
        inner = set(map(id, matrices))
        rest = [parameter for parameter in model.parameters() if id(parameter) not in inner]
        name, method = _METHODS[config.optimizer]
        self._parts: dict[str, torch.optim.Optimizer] = {name: method(rest, lr=config.learning_rate)}
        if matrices:
            self._parts["muon"] = torch.optim.Muon(
                matrices, lr=config.learning_rate, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw"
            )
        self._mean = deepcopy(model) if config.average else None

    @property
    def best(self) -> nn.Module:
        """The model whose weights are scored and kept: the mean, where there is one."""
        return self._model if self._mean is None else self._mean

    @property
    def rate(self) -> float:
        """Learning rate of the last step, or of the next where it does not change by itself."""
        return float(next(iter(self._parts.values())).param_groups[0]["lr"])

    @rate.setter
    def rate(self, value: float) -> None:
        for part in self._parts.values():
            for group in part.param_groups:
                group["lr"] = value

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._model.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change the weights by their gradients."""
        if self._config.schedule == "cosine":
            self.rate = self._config.learning_rate * cosine(self._taken, self._steps)
        self._taken += 1
        for part in self._parts.values():
            part.step()
        if self._mean is not None:
            self._move(self._mean)

    def state(self) -> dict[str, Any]:
        """All that going on takes, but the weights of `best`."""
        trained = {} if self._mean is None else self._model.state_dict()
        return {**{name: part.state_dict() for name, part in self._parts.items()}, "taken": self._taken, "now": trained}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave; `best` has its weights already."""
        if self._mean is not None:
            self._model.load_state_dict(state["now"])
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        self._taken = state["taken"]

    @torch.no_grad()
    def _move(self, mean: nn.Module) -> None:
        """An exponential mean, that of a few steps at first; of the first alone it is the very weights."""
        seen = self._taken - 1
        # All at once, and nothing is asked of the device: `torch.optim.swa_utils` waits for it twice a parameter.
        share = 1 - min(self._config.average, seen / (seen + _YOUNG))
        torch._foreach_lerp_(list(mean.parameters()), list(self._model.parameters()), share)
        for kept, now in zip(mean.buffers(), self._model.buffers(), strict=True):
            kept.copy_(now)


def cosine(step: int, steps: int) -> float:
    """The share of the learning rate at a step from 0: a short rise, then half a cosine down to a hundredth."""
    fall = (1 + math.cos(math.pi * min(step / steps, 1.0))) / 2
    return min((step + 1) / _WARM, 1.0) * (_LEAST + (1 - _LEAST) * fall)


def _matrices(model: nn.Module) -> list[Tensor]:
    """Weights of the linear layers in `blocks`, a part's too; raises ChoiceError if Muon is not to be had."""
    if not hasattr(torch.optim, "Muon"):
        raise ChoiceError(f"--optimizer muon: expected torch 2.9 or newer, found {torch.__version__}; use adam")
    found = [
        module.weight
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and "blocks" in name.split(".")
    ]
    if not found:
        raise ChoiceError("--optimizer muon: expected a model of blocks with --model mixer, found another; use adam")
    return found
