"""What each part of the mixer is worth: the same short training with one part changed at a time. Prints JSON.

python tests/benchmarks/ablations.py TRAINING_STORE STORE... [--windows 66000] [--seed 0] [--only NAME,...]

Each variant is trained on TRAINING_STORE for one epoch of so many windows by the regime of `posetrain run --model
mixer`, with the same seed, in bfloat16; then it is scored on the validation split of every STORE, over 5 frames and
over sequences. What a long training reaches is another matter: small models are nearer to it after one epoch than
large ones.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from posedata import open_store
from posedata.geometry import GRID
from posedata.progress import silent
from posedata.skeleton import K
from posetrain import bodies, tasks, varied
from posetrain.baselines import Span
from posetrain.models import count_parameters, mixer
from posetrain.request import configured
from posetrain.scoring import score, subject_of_run
from posetrain.tasks import TrackTask
from posetrain.training import train

CPU = torch.device("cpu")
Patch = tuple[object, str, Any]


class Alone(mixer.Mixer):
    """Every keypoint by itself: nobody tells a wrist where the elbow is."""

    def _refined(self, points: Tensor) -> Tensor:
        alone = points[:, :, :K].transpose(1, 2).flatten(0, 1)[:, :, None]
        return super()._refined(alone)[:, :, 0].unflatten(0, (-1, K)).transpose(1, 2)


class Still(nn.Identity):
    """In place of what mixes frames."""


class Silent(nn.Module):
    """In place of a part whose answer is added."""

    def forward(self, tokens: Tensor) -> Tensor:
        return torch.zeros_like(tokens)


class AttentionAlone(mixer._OverTime):
    """No convolution over the frames next to each."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = Silent()


def squared(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    return tasks.squared_error(predicted, target, annotated)


def places_alone(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """The loss without its term of accelerations."""
    error = (predicted - target) / tasks._torsos(target, annotated)[..., None, None]
    return tasks._length(error, annotated).sum()


VARIANTS: dict[str, list[Patch]] = {
    "as it is": [],
    "each keypoint by itself (width 48)": [(mixer, "K", 1), (mixer, "WIDTH", 48)],
    "no mixing of frames but by the smoothers": [(mixer, "_OverTime", Still)],
    "no attention": [(mixer, "_Attention", Silent)],
    "no convolution over frames": [(mixer, "_OverTime", AttentionAlone)],
    "no smoother of 12 frames": [(mixer, "SMOOTHERS", (0.8, 2.0, 5.0)), (mixer, "_FEATURES", 9)],
    "one smoother": [(mixer, "SMOOTHERS", (2.0,)), (mixer, "_FEATURES", 5)],
    "two layers": [(mixer, "_LAYERS", 2)],
    "width 96": [(mixer, "WIDTH", 96)],
    "width 384": [(mixer, "WIDTH", 384)],
    "on the grids and not in the image": [
        (tasks, "in_image", lambda grid, boxes: grid / GRID),
        (tasks, "on_grid", lambda places, boxes: places * GRID),
    ],
    "noise from k = 0.5 on": [(varied, "STRENGTHS", (0.5, 2.5))],
    "no limbs bent": [(bodies, "_BENT", 0.0)],
    "what trembles a little is kept": [(varied, "_LITTLE", 0.0)],
    "nothing varied but the order": [(TrackTask, "varied", lambda self, batch: batch)],
    "squared error": [(tasks, "torso_error", squared)],
    "no loss of accelerations": [(tasks, "torso_error", places_alone)],
}
"""Name -> what is changed."""


@contextmanager
def changed(name: str) -> Iterator[Callable[[], nn.Module]]:
    """With the parts of a variant in place; gives what makes its model."""
    with ExitStack() as stack:
        for owner, attribute, value in VARIANTS[name]:
            stack.enter_context(mock.patch.object(owner, attribute, value))
        make = Alone if name.startswith("each keypoint") else mixer.Mixer
        stack.enter_context(mock.patch("posetrain.models.Mixer", make))
        yield make


def tried(name: str, training: Path, stores: list[Path], windows: int, seed: int) -> dict[str, Any]:
    """Train and score a variant."""
    options = {"model": "mixer", "epochs": 1, "precision": "bfloat16", "max_windows": windows, "seed": seed}
    with changed(name) as make, tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train(configured(options, options.keys()), open_store(training), run, device=CPU)
        return {"parameters": count_parameters(make())} | {store.name: _scored(run, store) for store in stores}


def _scored(run: Path, store: Path) -> dict[str, Any]:
    subject = replace(subject_of_run(run, store, CPU), window=5)
    spans: tuple[Span, ...] = ("window", "sequence")
    return {span: score(replace(subject, span=span), "validation", CPU, "auto", silent)[0].pck for span in spans}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path)
    parser.add_argument("stores", type=Path, nargs="+")
    parser.add_argument("--windows", type=int, default=66_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="Names of variants, with commas; others are left out.")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(VARIANTS)
    for name in names:
        found = tried(name, options.training, options.stores, options.windows, options.seed)
        sys.stdout.write(json.dumps({"variant": name, "seed": options.seed, **found}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
