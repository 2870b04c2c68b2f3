"""A detector looked into as it works: its latent space, and what it says without its skip connections."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.progress import Progress, silent
from posetrain.crops.data import Crops
from posetrain.crops.tasks import Detection
from posetrain.models.autoencoder import Autoencoder
from posetrain.models.hourglass import Hourglass, StackedHourglass

_BATCH = 16


@dataclass(frozen=True, eq=False)
class Examined:
    """What a detector made of N crops.

    Attributes:
        found: (N, 17, 2) grid positions, as trained.
        bare: the same without skip connections.
        latents: name of a latent space -> (N, D) float32: the 50 numbers of an autoencoder, where there is one, and
            what the bottleneck's third residual says, 256 x 4 x 4.
    """

    found: NDArray[np.float64]
    bare: NDArray[np.float64]
    latents: dict[str, NDArray[np.float32]]


@torch.inference_mode()
def examine(model: StackedHourglass, task: Detection, crops: Crops, progress: Progress = silent) -> Examined:
    """Show it all crops twice. Latent spaces are those of the last stack."""
    found, bare, latents = list[Tensor](), list[Tensor](), dict[str, list[Tensor]]()
    with progress("examining", len(crops), crops.unit) as advance:
        for batch in crops.batches(np.arange(len(crops)), _BATCH, ("input",)):
            with _recorded(model) as seen:
                found.append(task.positions(model(task.given(batch))))
            for name, latent in seen.items():
                latents.setdefault(name, []).append(latent.flatten(1).float().cpu())
            with _without_skips(model):
                bare.append(task.positions(model(task.given(batch))))
            advance(len(batch.first))
    spaces = {name: torch.cat(latents[name]).numpy() for name in latent_spaces(model)}
    return Examined(_places(found), _places(bare), spaces)


def _places(batches: list[Tensor]) -> NDArray[np.float64]:
    return torch.cat(batches).cpu().double().numpy()


@contextmanager
def _recorded(model: StackedHourglass) -> Iterator[dict[str, Tensor]]:
    """What the latent spaces of the last stack hold after each pass."""
    seen: dict[str, Tensor] = {}
    with ExitStack() as hooks:
        for name, module in latent_spaces(model).items():

            def keep(module: nn.Module, given: tuple[Tensor, ...], said: Tensor, name: str = name) -> None:
                seen[name] = said

            hooks.callback(module.register_forward_hook(keep).remove)
        yield seen


@contextmanager
def _without_skips(model: StackedHourglass) -> Iterator[None]:
    """Nothing goes past a bottleneck: what is added on the way up is 0."""
    with ExitStack() as hooks:
        for hourglass in model.hourglasses:
            for skip in cast(Hourglass, hourglass).skips:
                hook = skip.register_forward_hook(lambda module, given, said: torch.zeros_like(said))
                hooks.callback(hook.remove)
        yield


def latent_spaces(model: StackedHourglass) -> dict[str, nn.Module]:
    """Name -> what says a latent space, in the last stack, the narrowest first."""
    hourglass = cast(Hourglass, model.hourglasses[-1])
    codes = {"autoencoder": hourglass.code.encoder} if isinstance(hourglass.code, Autoencoder) else {}
    return {**codes, "hourglass": hourglass.bottleneck}
