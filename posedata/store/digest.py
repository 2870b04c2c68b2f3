"""The content digest: one hash of what a store says, whatever its codec and chunks.

sha256 over the canonical JSON of the recipe, then for every array, in name order, the canonical JSON of
[name, dtype, shape] and its values: little-endian bytes in C order, or the canonical JSON of the list for
strings. Heatmaps that are a pure function of cells and sigma enter as ["rendered"]: the cells and sigmas that fix
every bit of them are hashed, and hashing 157 kB a frame again would take longer than the build. The manifest
hashes their files all the same.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from posedata.config import canonical_json
from posedata.store.arrays import StoredArrays
from posedata.store.schema import SHARD_FRAMES


def content_digest(arrays: StoredArrays, recipe: Mapping[str, Any], rendered: Iterable[str]) -> str:
    """Hex sha256 of the arrays of a store; `rendered` names those that enter by definition."""
    digest = hashlib.sha256(canonical_json(recipe))
    for name, array in sorted(arrays.items()):
        dtype = "string" if array.dtype == object else array.dtype.name
        digest.update(canonical_json([name, dtype, list(array.shape)]))
        if name in rendered:
            digest.update(canonical_json(["rendered"]))
        elif dtype == "string":
            digest.update(canonical_json([str(value) for value in np.asarray(array[:])]))
        else:
            # A detector's heatmaps are the one large case: 32 frames of them are 5 MB.
            step = 32 if array.ndim == 4 else SHARD_FRAMES
            for start in range(0, array.shape[0], step):
                block = np.asarray(array[start : start + step])
                digest.update(np.ascontiguousarray(block, block.dtype.newbyteorder("<")).data)
    return digest.hexdigest()
