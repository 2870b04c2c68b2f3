"""The card, the picture and the table of a store of clips."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from posedata.card import common_fields, pipe_table
from posedata.clips.geometry import rises, up_axis, views
from posedata.clips.joints import JOINTS, LIMBS
from posedata.clips.schema import CLIP_FRAMES, DEALT
from posedata.sketch import stick_figure, tiles
from posedata.store.arrays import StoredArrays

_POSES = 8
"""In the picture."""

_GRID = 64
"""Cells along either side of a tile of the picture."""

_FILLED = 0.9
"""Of a tile, by the largest person."""

_TAGS = ("human-pose", "3d", "video", "zarr")

_BODY = """\
---
{front_matter}
---
# {name}

{synthetic}![People from the front: limbs and dots are joints]({picture})

{clips} clips of 8 frames of 224 x 224 pixels, each of one person, with 17 joints in metres and three dimensions.

## How it was made

```json
{recipe}
```

{skipped} clips were left out; `posedata info` lists them. `sources.csv` names every raw file with its sha256.

## Counts

{counts}

## Splits

{splits}

## Loading

```
posedata verify {name}.zarr
```

```python
from posedata.clips.store import open_clips

store = open_clips("{name}.zarr")   # proves that it is complete
```

## Licences

{licences}

{warnings}Content digest: `{content_digest}`
"""


def clip_card(name: str, summary: Mapping[str, Any], content_digest: str, skipped: int, warnings: Sequence[str]) -> str:
    """The card of a store of clips; arguments as for `posedata.card.card`."""
    counts, measured = summary["counts"], summary["measured"]
    facts = {
        "clips": f"{counts['clips']:,}",
        "frames": f"{counts['frames']:,}",
        "median extent of a person": f"{measured['median_extent']:.4f} m",
        "up": measured["up"],
        "pelvis at the origin": _yes(measured["pelvis_at_origin"]),
    }
    return _BODY.format(
        **common_fields(name, summary, content_digest, skipped, warnings, _TAGS),
        clips=f"{counts['clips']:,}",
        counts=pipe_table([("of", "count"), *facts.items()]),
        splits=pipe_table([("split", "clips"), *((split, f"{counts['splits'][split]:,}") for split in DEALT)]),
    )


def clip_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What `posedata info` tells of a store of clips."""
    yield "datasets", report["recipe"]["dataset"]
    yield "split", ", ".join(f"{name} {report['splits'][name]:,}" for name in DEALT)
    yield "clips", f"{report['clips']:,} of {CLIP_FRAMES} frames"
    yield "left out", f"{report['left_out']:,} clips"
    yield "extent", f"{report['median_extent']:.4f} m, the median of a person's longest side"
    yield "axes", f"up is {report['up']}; pelvis at the origin: {_yes(report['pelvis_at_origin'])}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def clip_picture(arrays: StoredArrays) -> str:
    """An SVG document: people of a few clips from all over a store, from the front; left is blue, right orange."""
    clips = arrays["split"].shape[0] // CLIP_FRAMES
    chosen = np.unique(np.linspace(0, clips - 1, _POSES).round().astype(np.int64))
    joints = arrays["joints"].rows(chosen * CLIP_FRAMES + CLIP_FRAMES // 2).astype(np.float64)
    front = views(joints, up_axis(rises(joints).mean(axis=0))).front
    low, high = front.min(axis=1, keepdims=True), front.max(axis=1, keepdims=True)
    points = (front - (low + high) / 2) * (_FILLED * _GRID / (high - low).max()) + _GRID / 2
    return tiles([stick_figure(pose, JOINTS, LIMBS) for pose in points], _GRID)
