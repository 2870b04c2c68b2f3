"""Runs on disk: configuration, curves, weights, and all that training needs to go on.

    RUN/run.json                         configuration and store, written first
    RUN/curves.csv                       a line an epoch
    RUN/checkpoints/0007/weights.safetensors
    RUN/checkpoints/0007/state.pt        optimizer, plateau, history, random state
    RUN/checkpoints/0007/sha256.json     hashes of the two
    RUN/summary.json                     written last: the run is finished

A checkpoint is a folder that appears whole, by a rename. Kept are the last two, the best,
and the one that was the best an epoch before.
"""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, ValidationError

from posedata.config import Frozen, faults
from posedata.errors import BadInputError, IntegrityError
from posedata.files import sync_folder, write_durably
from posetrain.config import TrainConfig

if TYPE_CHECKING:  # torch takes seconds to import, and what a run is can be told without it
    from torch import Tensor

RUN_NAME, SUMMARY_NAME, CURVES_NAME = "run.json", "summary.json", "curves.csv"
WEIGHTS_NAME, STATE_NAME, HASHES_NAME = "weights.safetensors", "state.pt", "sha256.json"


class StoreReference(Frozen):
    """The store that a run was trained on.

    Attributes:
        path: where it was.
        content_digest: of it.
        facts: what of it the model takes to work on other data, see `posetrain.kinds.Kind`.
    """

    path: str
    content_digest: str
    facts: dict[str, Annotated[tuple[float, ...], Field(strict=False)]] = Field(default_factory=dict)


class RunInfo(Frozen):
    """What stands in run.json."""

    config: TrainConfig
    store: StoreReference


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON file, whole or not at all."""
    write_durably(path, [json.dumps(value, indent=2, allow_nan=False).encode() + b"\n"])


def read_run(run: Path) -> RunInfo:
    """What a run is.

    Raises:
        BadInputError: if there is no run.
        IntegrityError: if its run.json is damaged.
    """
    path = run / RUN_NAME
    try:
        return RunInfo.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise BadInputError(f"{path}: expected a run, found none; make one with `posetrain run`") from error
    except ValidationError as error:
        raise IntegrityError(*(f"{path}: {fault}" for fault in faults(error))) from error


def save_checkpoint(run: Path, epoch: int, weights: "Mapping[str, Tensor]", state: Mapping[str, Any]) -> None:
    """Write the checkpoint of an epoch; `state` holds tensors, numbers, text, lists and dicts only."""
    import torch
    from safetensors.torch import save

    root = run / "checkpoints"
    stage = root / ".writing"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    contents = {
        WEIGHTS_NAME: save({name: tensor.contiguous().cpu() for name, tensor in weights.items()}),
        STATE_NAME: buffer.getvalue(),
    }
    for name, content in contents.items():
        write_durably(stage / name, [content])
    write_json(stage / HASHES_NAME, {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()})
    sync_folder(stage)
    stage.rename(_folder(run, epoch))
    sync_folder(root)


def prune_checkpoints(run: Path, keep: set[int]) -> None:
    """Remove the checkpoints of all other epochs."""
    removed = run / "checkpoints" / ".removing"
    for epoch in saved_epochs(run):
        if epoch not in keep:
            # Renamed first: half a checkpoint is never seen.
            shutil.rmtree(removed, ignore_errors=True)
            _folder(run, epoch).rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


def saved_epochs(run: Path) -> list[int]:
    """Epochs that have a checkpoint, rising."""
    return sorted(int(path.name) for path in (run / "checkpoints").glob("*") if path.name.isdecimal())


def load_weights(run: Path, epoch: int) -> "dict[str, Tensor]":
    """The weights of an epoch, on the CPU; raises IntegrityError if they are not what was saved."""
    from safetensors.torch import load

    return dict(load(_read_proven(_folder(run, epoch) / WEIGHTS_NAME)))


def load_state(run: Path, epoch: int) -> dict[str, Any]:
    """The state that `save_checkpoint` was given, on the CPU; raises IntegrityError if it is not what was saved."""
    import torch

    content = io.BytesIO(_read_proven(_folder(run, epoch) / STATE_NAME))
    state: dict[str, Any] = torch.load(content, map_location="cpu", weights_only=True)
    return state


def _read_proven(path: Path) -> bytes:
    """The bytes of a file of a checkpoint, if their hash is the one that was written beside them."""
    try:
        content = path.read_bytes()
        expected = json.loads((path.parent / HASHES_NAME).read_bytes())[path.name]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError(f"{path}: expected a file with its hash beside it, found {error!r}") from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise IntegrityError(f"{path}: expected sha256 {expected}, found another: it is damaged")
    return content


def write_curves(run: Path, history: list[dict[str, float]]) -> None:
    """curves.csv: a line an epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_durably(run / CURVES_NAME, [text.getvalue().encode()])


def _folder(run: Path, epoch: int) -> Path:
    return run / "checkpoints" / f"{epoch:04d}"
