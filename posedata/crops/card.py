"""The card, the picture and the table of a store of crops."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from posedata.card import common_fields, pipe_table
from posedata.crops.geometry import GRID
from posedata.crops.joints import LIMBS
from posedata.crops.schema import DEALT
from posedata.rows import reader_rows
from posedata.skeleton import COCO_NAMES
from posedata.sketch import stick_figure, tiles
from posedata.store.arrays import StoredArrays

_POSES = 8
"""In the picture."""

_TAGS = ("human-pose", "keypoints", "zarr")

_BODY = """\
---
{front_matter}
---
# {name}

{synthetic}![People: limbs and dots are the labelled keypoints]({picture})

{frames} crops of 256 x 256 pixels from {images} photographs, a person in the middle of each, with 17 keypoints on a
grid of 64 x 64 cells and their visibility. Heatmaps are a function of these and of the recipe's two sigmas:
`open_crops(...).heatmaps(positions)` gives them.

## How it was made

```json
{recipe}
```

The photographs were decoded by {reader}. {skipped} lines of `posedata info` tell what was left out. `sources.csv` names
every raw file with its sha256.

## Counts

{counts}

Mean of the training set, in R, G, B from 0 to 255, not subtracted: {mean_rgb}

## Splits

{splits}

## Loading

```
posedata verify {name}.zarr
```

```python
from posedata.crops.store import open_crops

store = open_crops("{name}.zarr")   # proves that it is complete
```

## Licences

{licences}

{warnings}Content digest: `{content_digest}`
"""


def crop_card(name: str, summary: Mapping[str, Any], content_digest: str, skipped: int, warnings: Sequence[str]) -> str:
    """The card of a store of crops; arguments as for `posedata.card.card`."""
    counts = summary["counts"]
    facts = {
        "crops": counts["frames"],
        "photographs": counts["images"],
        "visible keypoints": counts["visible_keypoints"],
        "occluded keypoints": counts["occluded_keypoints"],
        "labelled keypoints outside their crop": counts["keypoints_outside"],
        **counts["left_out"],
    }
    mean = summary["measured"]["mean_rgb"]
    return _BODY.format(
        **common_fields(name, summary, content_digest, skipped, warnings, _TAGS, "looks like this"),
        frames=f"{counts['frames']:,}",
        images=f"{counts['images']:,}",
        reader=", ".join(summary["readers"].values()),
        counts=pipe_table([("of", "count"), *((what, f"{count:,}") for what, count in facts.items())]),
        mean_rgb="no crop trains" if mean is None else ", ".join(f"{value:.4f}" for value in mean),
        splits=pipe_table([("split", "crops"), *((split, f"{counts['splits'][split]:,}") for split in DEALT)]),
    )


def crop_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What `posedata info` tells of a store of crops."""
    recipe, mean = report["recipe"], report["mean_rgb"]
    yield "datasets", recipe["dataset"]
    yield from reader_rows(report)
    yield "heatmaps", f"rendered; sigma {recipe['sigma_visible']:g} visible, {recipe['sigma_occluded']:g} occluded"
    splits = ", ".join(f"{name} {report['splits'][name]:,}" for name in DEALT)
    yield "split", f"{splits}, seed {recipe['seed']}"
    yield "crops", f"{report['frames']:,} from {report['images']:,} images"
    yield "keypoints", f"{report['visible_keypoints']:,} visible, {report['occluded_keypoints']:,} occluded"
    yield "outside", f"{report['keypoints_outside']:,} labelled keypoints outside their crop"
    yield from (("left out", f"{count:,} {what}") for what, count in report["left_out"].items())
    yield "mean RGB", "none" if mean is None else ", ".join(f"{value:.4f}" for value in mean)


def crop_picture(arrays: StoredArrays) -> str:
    """An SVG document: a few people from all over a store, without their pixels; left is blue, right orange."""
    count = arrays["split"].shape[0]
    chosen = np.unique(np.linspace(0, count - 1, _POSES).round().astype(np.int64))
    points = arrays["points"].rows(chosen).astype(np.float64)
    return tiles([stick_figure(pose, COCO_NAMES, LIMBS) for pose in points], GRID)
