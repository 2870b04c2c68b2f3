"""The dataset card: README.md in a store, with YAML front matter, for people and for dataset hubs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from posedata.splits import SPLITS
from posedata.windows import WINDOW

CARD_NAME = "README.md"
PICTURE_NAME = "preview.svg"

_SIZES = {10**3: "n<1K", 10**4: "1K<n<10K", 10**5: "10K<n<100K", 10**6: "100K<n<1M", 10**7: "1M<n<10M"}
"""How dataset hubs spell sizes, by what they stay below."""

_TAGS = ("human-pose", "heatmaps", "temporal-refinement", "zarr")

_BODY = """\
---
{front_matter}
---
# {name}

{synthetic}![Poses: limbs and dots are the target, rings stand where the input has its maxima]({picture})

{frames} frames in {sequences} sequences of human pose. Every frame has, for each of 25 keypoints, an input and a target
heatmap of 56 x 56 cells, with target points, the box, and the mask of what is annotated.

## How it was made

```json
{recipe}
```

{readers}\
{skipped} things of the raw data were left out; `posedata info` lists them. `sources.csv` names every raw file with its
sha256.

## Counts

{counts}

## Splits

{splits}

## Loading

```
posedata verify {name}.zarr
posetrain run {name}.zarr
```

```python
from pathlib import Path
import xarray, zarr
from posedata import open_store

store = open_store(Path("{name}.zarr"))   # proves that it is complete
xarray.open_zarr("{name}.zarr")           # any Zarr 3 reader opens it too; verify it first
zarr.open_group("{name}.zarr", mode="r")
```

## Licences

{licences}

{warnings}Content digest: `{content_digest}`
"""


def card(name: str, summary: Mapping[str, Any], content_digest: str, skipped: int, warnings: Sequence[str]) -> str:
    """The card of a store.

    Args:
        name: of the dataset.
        summary: counts, recipe, measured values and licences, as in the manifest.
        content_digest: of the store.
        skipped: how many things of the raw data are not in it.
        warnings: of its build.
    """
    counts, measured = summary["counts"], summary["measured"]
    facts = {
        "frames": f"{counts['frames']:,}, of which {counts['empty_frames']:,} show nobody",
        "annotated keypoints": f"{counts['annotated_keypoints']:,}",
        f"windows of {WINDOW} frames": f"{counts['windows_total']:,}",
        "mean torso diameter": _grid(measured["mean_torso_diameter"]),
        "standard deviation of the input's shift": _grid(measured["shift_std"]),
    }
    return _BODY.format(
        **common_fields(name, summary, content_digest, skipped, warnings, _TAGS),
        frames=f"{counts['frames']:,}",
        sequences=f"{counts['sequences']:,}",
        readers="".join(
            f"The raw data of {source} was read by {package}, which is no part of posedata.\n\n"
            for source, package in summary.get("readers", {}).items()
        ),
        counts=pipe_table([("of", "count"), *facts.items()]),
        splits=pipe_table([("split", "windows"), *((split, f"{counts['windows'][split]:,}") for split in SPLITS)]),
    )


def common_fields(
    name: str,
    summary: Mapping[str, Any],
    content_digest: str,
    skipped: int,
    warnings: Sequence[str],
    tags: Sequence[str],
    nobody: str = "moved like this",
) -> dict[str, str]:
    """What the card of any kind of store says, by the fields of its text.

    Arguments are those of `card`; `tags`, by which dataset hubs find a store; and `nobody`: what nobody does who is not
    synthetic.
    """
    synthetic = f"**Synthetic:** nobody {nobody}, and figures measured on it mean nothing.\n\n"
    return {
        "front_matter": _front_matter(name, summary, tags),
        "name": name,
        "synthetic": synthetic if summary["synthetic"] else "",
        "picture": PICTURE_NAME,
        "recipe": json.dumps(summary["recipe"], indent=1),
        "skipped": f"{skipped:,}",
        "licences": "\n".join(f"- {source}: {licence}" for source, licence in summary["licences"].items()),
        "warnings": "".join(f"- **Mind:** {warning}\n" for warning in warnings) + ("\n" if warnings else ""),
        "content_digest": content_digest,
    }


def _front_matter(name: str, summary: Mapping[str, Any], tags: Sequence[str]) -> str:
    """YAML, a value a line; JSON's values are YAML's."""
    frames = summary["counts"]["frames"]
    size = next((size for limit, size in _SIZES.items() if frames < limit), "10M<n<100M")
    fields = {
        "pretty_name": name,
        "license": "other",
        "license_name": "; ".join(f"{source}: {licence}" for source, licence in summary["licences"].items()),
        "size_categories": [size],
        "source_datasets": list(summary["licences"]),
        "task_categories": ["keypoint-detection"],
        "tags": tags,
    }
    return "\n".join(f"{field}: {json.dumps(value)}" for field, value in fields.items())


def _grid(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f} grid px"


def pipe_table(rows: Iterable[tuple[str, str]]) -> str:
    """A Markdown table; the first row is its head."""
    head, *rest = [f"| {key} | {value} |" for key, value in rows]
    return "\n".join([head, "|---|---|", *rest])
