"""What a family of datasets brings of which `posedata build` makes stores of another kind than temporal heatmaps."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from posedata.config import Frozen, json_digest
from posedata.progress import Progress


@dataclass(frozen=True)
class Published:
    """A dataset as its authors give it.

    Attributes:
        name: as in `--dataset`.
        licence: who may use the data.
        source: where its authors publish it, and what to put where.
    """

    name: str
    licence: str
    source: str


class FamilyRecipe(Frozen):
    """All that determines the content of a store, besides the raw files.

    Every field but `dataset` is an option of `posedata build` of that name.

    Attributes:
        dataset: a name of the family.
    """

    unit: ClassVar[str]
    """What a store holds, as its default name has it: "crops"."""

    dataset: str

    @property
    def store_name(self) -> str:
        """The default name, with a hash where the recipe is not the usual one."""
        usual = self == type(self)(dataset=self.dataset)
        rest = "" if usual else f"-{json_digest(self.model_dump())[:8]}"
        return f"{self.dataset}-{self.unit}{rest}.zarr"


class Build(Protocol):
    """What makes the stores of a family."""

    def __call__(
        self,
        recipe: Any,
        raw: Path,
        out: Path,
        *,
        workers: int,
        skip_bad: bool,
        overwrite: bool,
        dry_run: bool,
        progress: Progress,
    ) -> dict[str, Any]:
        """Build a store, or tell what it would be: see `posedata.assemble.carry_out`."""


@dataclass(frozen=True)
class Family:
    """Datasets of which stores of one kind are built.

    Attributes:
        kind: of the stores, as their manifests have it.
        gives: what such a store holds, in words.
        datasets: by name.
        recipe: what can be asked for.
        build: imports what it needs when it is called.
    """

    kind: str
    gives: str
    datasets: Mapping[str, Published]
    recipe: type[FamilyRecipe]
    build: Build

    @property
    def options(self) -> tuple[str, ...]:
        """Names of the options of `posedata build` that say what to build."""
        return tuple(name for name in self.recipe.model_fields if name != "dataset")
