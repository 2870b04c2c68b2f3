"""A trained model as one file: what predicting takes, and nothing of the training.

NAME.safetensors    weights, of 32 or 16 bits; in its metadata, as JSON: configuration, epoch, keypoints, validation,
                    a hash
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from posedata.config import Frozen, canonical_json, faults
from posedata.errors import BadInputError, ChoiceError, IntegrityError
from posedata.files import whole_file
from posetrain.checkpoints import load_weights, read_run, saved_epochs
from posetrain.config import TrainConfig
from posetrain.find import keypoints_seen
from posetrain.history import load_best, load_history, pck_of
from posetrain.known import names_of
from posetrain.models import find_refiner

ENDING = ".safetensors"

DEFAULT = "default"
"""Name of the model that comes with the package."""

_KEY = "posetrain"


class ExportInfo(Frozen):
    """What stands in the metadata of the file.

    Attributes:
        export_version: of this layout.
        config: how it was trained.
        epoch: of the weights.
        keypoints: those that were annotated where it was trained; None = not known.
        content_digest: of the store that it was trained on.
        validation: PCK in percent by threshold, on the validation windows of the training, of weights of 32 bits.
        sha256: of all else here, and of the weights.
    """

    export_version: Literal[1] = 1
    config: TrainConfig
    epoch: int
    keypoints: Annotated[tuple[str, ...] | None, Field(strict=False)]
    content_digest: str
    validation: Mapping[str, float]
    sha256: str = ""


def export_run(run: Path, out: Path, overwrite: bool, epoch: int | None = None, half: bool = False) -> ExportInfo:
    """Write an epoch of a run into a file.

    Args:
        run: its folder.
        out: the file.
        overwrite: whether it may replace another.
        epoch: of those that are kept; None = the best.
        half: whether weights are rounded to float16, half the size; whoever reads them works in float32 again.

    Raises:
        BadInputError: if no epoch of the run is finished, that one is not kept, or a weight is too large for 16 bits.
        ChoiceError: if the file has another ending, or the model refines no windows.
        ConflictError: if the file is there.
        IntegrityError: if the run is damaged.
    """
    if out.suffix != ENDING:
        raise ChoiceError(f"--out {out}: expected a name that ends in {ENDING}")
    info = read_run(run)
    find_refiner(info.config.model, run)
    epoch, weights = _load(run, epoch)
    if half:
        weights = {name: _rounded(run, name, value) for name, value in weights.items()}
    seen = keypoints_seen(run)
    row = load_history(run)[epoch - 1]
    exported = ExportInfo(
        config=info.config.model_copy(update={"init": None}),  # a path of this machine
        epoch=epoch,
        keypoints=None if seen is None else names_of(seen),
        content_digest=info.store.content_digest,
        validation=pck_of(row),
    )
    exported = exported.model_copy(update={"sha256": _hash(exported.model_dump(mode="json"), weights)})
    with whole_file(out, overwrite) as part:
        part.write_bytes(save(weights, metadata={_KEY: exported.model_dump_json()}))
    return exported


def _rounded(run: Path, name: str, value: Tensor) -> Tensor:
    if not value.is_floating_point():
        return value
    rounded = value.half()
    if not rounded.isfinite().all():
        raise BadInputError(f"{run}: weights {name}: expected below 65,504 to be rounded to 16 bits; export all bits")
    return rounded


def _load(run: Path, epoch: int | None) -> tuple[int, dict[str, Tensor]]:
    if epoch is None:
        return load_best(run)
    kept = saved_epochs(run)
    if epoch not in kept:
        raise BadInputError(f"{run}: epoch: expected one of {', '.join(map(str, kept)) or 'none'}, found {epoch}")
    return epoch, load_weights(run, epoch)


def find_export(name: str) -> Path | None:
    """The file of a model that was exported: of that path, or the one that comes with the package; None = neither."""
    if name == DEFAULT:
        return Path(str(files("posetrain"))) / "shipped" / f"mixer{ENDING}"
    return Path(name) if name.endswith(ENDING) else None


def read_export(path: Path) -> tuple[ExportInfo, dict[str, Tensor]]:
    """What was exported, its weights on the CPU.

    Raises:
        BadInputError: if it is no such file.
        IntegrityError: if it is damaged.
    """
    try:
        with safe_open(path, "pt") as file:
            told = (file.metadata() or {}).get(_KEY)
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 it is no dict
    except FileNotFoundError as error:
        raise BadInputError(f"{path}: expected a model that `posetrain export` wrote, found none") from error
    except (SafetensorError, OSError) as error:
        raise BadInputError(f"{path}: expected a model that `posetrain export` wrote, found {error}") from error
    if told is None:
        raise BadInputError(f"{path}: expected a model that `posetrain export` wrote, found weights of another kind")
    try:
        info = ExportInfo.model_validate_json(told)
    except ValidationError as error:
        raise IntegrityError(*(f"{path}: {fault}" for fault in faults(error))) from error
    try:
        found = _hash(json.loads(told), weights)  # of what stands there: a newer configuration has more fields
    except ValueError:  # it has numbers that are none, as no file has that was written here
        found = "none"
    if found != info.sha256:
        raise IntegrityError(f"{path}: expected sha256 {info.sha256}, found another: it is damaged")
    return info, weights


def _hash(told: Mapping[str, Any], weights: Mapping[str, Tensor]) -> str:
    total = hashlib.sha256(canonical_json({name: value for name, value in told.items() if name != "sha256"}))
    for name in sorted(weights):
        values = weights[name].cpu().numpy()
        total.update(f"{name} {values.dtype} {values.shape}\n".encode())
        total.update(values.tobytes())
    return total.hexdigest()
