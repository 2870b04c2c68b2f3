"""The noise file: k and sigmas that a detector's output was found to have, for `posedata build --noise`."""

import json
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationError

from posedata.config import Frozen, Noise, faults
from posedata.errors import bad_file
from posedata.files import whole_file
from posedata.formats.base import read_json_object

_TOLD = ("k", "sigmas", "sigma_per")


def _told(noise: Noise) -> Noise:
    missing = [name for name in _TOLD if name not in noise.model_fields_set]
    if missing or noise.torso is not None:
        raise ValueError(f"expected {', '.join(_TOLD)} and nothing else")
    return noise


class NoiseFile(Frozen):
    """Its content.

    Attributes:
        noise: k, the sigmas and what shares one. The torso is that of the frames built: k is relative to it.
        measured: on what, and whatever else was found; for people: no program reads it.
    """

    noise: Annotated[Noise, AfterValidator(_told)]
    measured: dict[str, Any] | None = None


def write_noise(path: Path, noise: Noise, measured: dict[str, Any], overwrite: bool) -> None:
    """Write a noise file, whole or not at all.

    Raises:
        ConflictError: if `path` may not be replaced.
    """
    content = {"noise": noise.model_dump(mode="json", include={*_TOLD}), "measured": measured}
    with whole_file(path, overwrite) as part:
        part.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_noise(path: Path) -> Noise:
    """The noise of a noise file.

    Raises:
        BadInputError: if there is no such file or it is faulty; all faults are told.
    """
    try:
        return NoiseFile.model_validate(read_json_object(path)).noise
    except ValidationError as error:
        raise bad_file(path, faults(error)) from error
