"""The table of families of datasets, and of their datasets."""

from collections.abc import Mapping

from posedata.clips.family import CLIPS
from posedata.crops.family import CROPS
from posedata.errors import ChoiceError
from posedata.family import Family
from posedata.formats import FORMATS

FAMILIES = (CROPS, CLIPS)
"""All but that of temporal heatmaps, whose datasets are those of `posedata.formats.FORMATS`."""

OTHERS: Mapping[str, Family] = {name: family for family in FAMILIES for name in family.datasets}
"""Dataset -> its family."""


def source_of(dataset: str) -> str:
    """Where the authors of a dataset publish it, and what to put where; empty where nobody here knows it."""
    if dataset in OTHERS:
        return OTHERS[dataset].datasets[dataset].source
    try:
        return FORMATS[dataset].source if dataset in FORMATS else ""
    except ChoiceError:  # of a package that cannot be loaded: whoever has a finished store needs it no more
        return ""
