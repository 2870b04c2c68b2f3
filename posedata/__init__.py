"""posedata: raw pose annotations to checksummed Zarr stores of 25 x 56 x 56 heatmaps.

    >>> from posedata import Noise, Recipe, Selection, build_store, open_store
    >>> recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(k=2))
    >>> report = build_store(recipe, {"brace": Path("data/raw/brace")}, Path("brace.zarr"))
    >>> store = open_store("brace.zarr")
    >>> store.frames("input_heatmaps", store.windows("train")[0] + np.arange(5)).shape
    (5, 25, 56, 56)

Names are imported when they are first used, so `import posedata` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posedata.build import build_store
    from posedata.config import Noise, Recipe, Selection
    from posedata.errors import PoseDataError
    from posedata.formats import FORMATS
    from posedata.home import find_store
    from posedata.movement import to_movement
    from posedata.poses import PoseSequence
    from posedata.samples import write_sample
    from posedata.store.opened import verify
    from posedata.store.reader import Store, open_store

__version__ = "0.1.0"

__all__ = [
    "FORMATS",
    "Noise",
    "PoseDataError",
    "PoseSequence",
    "Recipe",
    "Selection",
    "Store",
    "build_store",
    "find_store",
    "open_store",
    "to_movement",
    "verify",
    "write_sample",
]

_HOMES = {
    "FORMATS": "posedata.formats",
    "Noise": "posedata.config",
    "PoseDataError": "posedata.errors",
    "PoseSequence": "posedata.poses",
    "Recipe": "posedata.config",
    "Selection": "posedata.config",
    "Store": "posedata.store.reader",
    "build_store": "posedata.build",
    "find_store": "posedata.home",
    "open_store": "posedata.store.reader",
    "to_movement": "posedata.movement",
    "verify": "posedata.store.opened",
    "write_sample": "posedata.samples",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'posedata' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
