"""What the user asks for, checked at the edge: frozen models that refuse unknown fields."""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)
from pydantic_core import ErrorDetails

from posedata.secrets import beginning

SIGMA_SETS: Mapping[str, tuple[float, ...]] = {"random": (1.0, 1.5, 2.0, 2.5, 3.0), "fixed": (1.0,)}
"""sigma_in of setups 1 and 2 (seed 000, section 1.2.2)."""

SigmaPer = Literal["frame", "keypoint", "sequence"]
SplitRule = Literal["video", "official", "held-out", "train"]
LEAST_SIGMA = 1e-6
"""Cells. A Gaussian is a mere impulse long before; the square of a sigma must be a number."""

Sigma = Annotated[float, Field(ge=LEAST_SIGMA, le=28, allow_inf_nan=False)]
BoxSpan = Literal["frame", "sequence"]
BoxJitter = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False)]


class Frozen(BaseModel):
    """Base of all configuration: immutable, no unknown fields, text is not taken for a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def without_usual(content: dict[str, Any]) -> dict[str, Any]:
    """The fields of a recipe, but for those that came later and ask for nothing."""
    usual = {"fps": None, "box_span": "frame", "box_jitter": 0.0}
    return {name: value for name, value in content.items() if name not in usual or value != usual[name]}


class Selection(Frozen):
    """One dataset of a store; `actions` None = all of them."""

    dataset: str
    actions: Annotated[tuple[str, ...] | None, Field(strict=False)] = None


class Noise(Frozen):
    """How the noisy input is made (seed 000, section 1.2.1).

    Attributes:
        k: the shifting scalar; shifts have the standard deviation 0.2 * torso * k on either axis.
        sigmas: standard deviations in cells from which the smear is drawn.
        sigma_per: what shares a drawn sigma.
        torso: mean torso diameter in grid px; None = measured on the frames built.
    """

    k: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 1.0
    sigmas: Annotated[tuple[Sigma, ...], Field(min_length=1, max_length=16, strict=False)] = SIGMA_SETS["random"]
    sigma_per: SigmaPer = "frame"
    torso: Annotated[float, Field(gt=0, le=80, allow_inf_nan=False)] | None = None

    @field_validator("sigmas")
    @classmethod
    def _rising(cls, sigmas: tuple[float, ...]) -> tuple[float, ...]:
        if list(sigmas) != sorted(set(sigmas)):
            raise ValueError("expected each sigma once, in rising order")
        if len({struct.pack("f", sigma) for sigma in sigmas}) < len(sigmas):
            raise ValueError("expected sigmas that are apart as 32-bit floats, which a store keeps")
        return sigmas

    @property
    def sigma_name(self) -> str:
        """What the set is called, or its numbers."""
        names = {sigmas: name for name, sigmas in SIGMA_SETS.items()}
        return names.get(self.sigmas, ",".join(f"{s:g}" for s in self.sigmas))


class Recipe(Frozen):
    """All that determines a store's content, besides the raw files.

    Attributes:
        datasets: sorted by name.
        noise: None for detector input.
        split: how frames are dealt out.
        split_span: frames from first to last of the windows that the held-out split deals; 9 lets windows of 5 frames
            at half the frame rate fit into validation and test.
        seed: of the noise and of the split.
        fps: frames a second that all sources are resampled to; None = as they are.
        box_span: what one box is around: the keypoints of a frame, or those of a sequence as far as no shot ends.
        box_jitter: share of its side by which every box is off; 0 = boxes are those of the keypoints.
    """

    datasets: Annotated[tuple[Selection, ...], Field(min_length=1, strict=False)]
    noise: Noise | None = Noise()
    split: SplitRule = "video"
    split_span: Annotated[int, Field(ge=1, le=1000)] = 5
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    fps: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = None
    box_span: BoxSpan = "frame"
    box_jitter: BoxJitter = 0.0

    @field_validator("datasets")
    @classmethod
    def _sorted(cls, datasets: tuple[Selection, ...]) -> tuple[Selection, ...]:
        names = [selection.dataset for selection in datasets]
        if names != sorted(set(names)):
            raise ValueError("expected each dataset once, in alphabetical order")
        return datasets

    @model_serializer(mode="wrap")
    def _dump(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what came later, where it asks for nothing: such recipes keep their digests of old."""
        return without_usual(dump(self))

    @property
    def store_name(self) -> str:
        """The default name: what most people vary stands in it, the rest as a hash."""
        names = "+".join(s.dataset for s in self.datasets)
        noise = f"k{self.noise.k:g}-{self.noise.sigma_name}" if self.noise else "detector"
        usual = Recipe(
            datasets=tuple(Selection(dataset=s.dataset) for s in self.datasets),
            noise=Noise(k=self.noise.k, sigmas=self.noise.sigmas) if self.noise else None,
            split="video" if self.noise else "held-out",
        )
        rest = "" if self == usual else f"-{json_digest(self.model_dump())[:8]}"
        return f"{names}-{noise}{rest}.zarr"


OTHER_BOXES = frozenset({"box_span", "box_jitter"})
"""Fields that a stored recipe has only where boxes are not those of the frames' own keypoints."""


def k_text(k: float | None) -> str:
    """The shifting scalar in words; None is what the parents of a derived store do not have in common."""
    return "mixed" if k is None else f"{k:g}"


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def json_digest(value: Any) -> str:
    """Hex sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def faults(error: ValidationError) -> list[str]:
    """A line for each field that does not fit: its name, what was expected, what was found."""
    return [f"{'.'.join(map(str, e['loc']))}: {_problem(e)}" for e in _errors(error)]


def option_faults(error: ValidationError) -> list[str]:
    """Likewise, told of the options that set the fields; which value of a list it is, is not."""
    return [
        f"{option_name(next((part for part in reversed(e['loc']) if isinstance(part, str)), ''))}: {_problem(e)}"
        for e in _errors(error)
    ]


def _errors(error: ValidationError) -> list[ErrorDetails]:
    """Without those of a list that is too short for what is wrong in it."""
    found = error.errors()
    inside = {e["loc"][:-1] for e in found}
    return [e for e in found if not (e["type"] == "too_short" and e["loc"] in inside)]


_OPTION_NAMES = {"datasets": "dataset", "sigmas": "sigma-set", "locations": "location"}
"""Options whose parameters have other names."""


def option_name(parameter: str) -> str:
    """The option of a parameter, as it is typed."""
    return f"--{_OPTION_NAMES.get(parameter, parameter.replace('_', '-'))}"


_EXPECTED = {
    "missing": "expected a value",
    "extra_forbidden": "expected no field of that name",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "string_type": "expected text",
    "bool_type": "expected true or false",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "too_short": "expected at least one",
    "string_too_short": "expected text",
}
"""Kind of an error of pydantic's -> what to say instead."""


def _problem(error: ErrorDetails) -> str:
    return f"{_expected(error['type'], error['msg'])}, found {beginning(repr(error['input']), 80)}"


def _expected(kind: str, message: str) -> str:
    """In the words of all other errors; validators of our own say it themselves."""
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return _EXPECTED.get(kind, message.replace("Input should be", "expected"))
