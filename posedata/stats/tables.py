"""What is told of a store as tables for a terminal: titles, and rows of text. Pure."""

from collections.abc import Iterator
from typing import Any

from posedata.config import k_text
from posedata.pck import THRESHOLDS
from posedata.skeleton import KEYPOINTS
from posedata.splits import SPLITS

Rows = list[tuple[object, ...]]

_SHOWN_QUANTILES = ("0.05", "0.5", "0.95", "0.99")


def tables(told: dict[str, Any]) -> Iterator[tuple[str, Rows]]:
    """Title and rows of every table, the doubts first; a row of headings leads."""
    yield "Mind", minded(told)
    yield "Frames", frames(told)
    yield f"Windows of {told['window_length']} frames", windows(told)
    yield "Input as it is", identity(told)
    yield "Distributions", distributions(told)
    yield "Annotated, % of the frames", annotated(told)


def minded(told: dict[str, Any]) -> Rows:
    """Two rows a doubt: what and which, then rule and reason."""
    rows: Rows = []
    for doubt in told["mind"]:
        which = f": {', '.join(doubt['which'])}" if doubt["which"] else ""
        rows += [(f"! {doubt['what']}{which}",), (f"    {doubt['rule']}; {doubt['why']}",)]
    return rows or [("nothing stands out",)]


def frames(told: dict[str, Any]) -> Rows:
    """By dataset and action."""
    places = [place for place in (*SPLITS, "none") if any(row[place] for row in told["frames_by"])]
    head = ("dataset", "action", "sequences", "frames", *places)
    rows = [
        (row["dataset"], row["action"] or "-", *(f"{row[name]:,}" for name in head[2:])) for row in told["frames_by"]
    ]
    return [head, *rows]


def windows(told: dict[str, Any]) -> Rows:
    """By frame step."""
    return [
        ("frame step", *SPLITS),
        *((step, *(f"{counts[split]:,}" for split in SPLITS)) for step, counts in told["windows"].items()),
    ]


def identity(told: dict[str, Any]) -> Rows:
    """PCK by split, over all frames of it."""
    head = ("split", *(f"PCK @{threshold:g}" for threshold in THRESHOLDS), "keypoints", "frames", "without torso")
    rows: Rows = [head]
    for split, score in told["identity_pck"].items():
        percent = (f"{score['pck'][f'{t:g}']:.1f} %" if score["pck"] else "-" for t in THRESHOLDS)
        counts = (f"{score[name]:,}" for name in ("keypoints", "frames_scored", "frames_unscored"))
        rows.append((split, *percent, *counts))
    return rows


def noise(told: dict[str, Any]) -> str:
    """What shifts the input, in words."""
    found = told["noise"]
    if found is None:
        return "a detector's input"
    if found["shift_std"] is None:
        return f"k {k_text(found['k'])}: shift std mixed"
    recorded = f"k {k_text(found['k'])}: shift std {found['shift_std']:.4f} grid px"
    if found["shift_std_measured"] is None:
        return f"{recorded}; too small or too large to be measured"
    as_k = "" if found["k_measured"] is None else f", k {found['k_measured']:.3f}"
    return f"{recorded}; measured {found['shift_std_measured']:.4f}{as_k}"


def distributions(told: dict[str, Any]) -> Rows:
    """Mean, extremes and some quantiles."""
    quantiles = (f"{100 * float(share):g} %" for share in _SHOWN_QUANTILES)
    rows: Rows = [("", "dataset", "unit", "count", "mean", "min", *quantiles, "max")]
    for entry in told["distributions"].values():
        for dataset, found in entry["datasets"].items():
            if found["count"]:
                parts = [found["mean"], found["min"], *(found["quantiles"][s] for s in _SHOWN_QUANTILES), found["max"]]
                numbers = (f"{number:.4g}" for number in parts)
                rows.append((entry["what"], dataset, entry["unit"], f"{found['count']:,}", *numbers))
    return rows


def annotated(told: dict[str, Any]) -> Rows:
    """By keypoint and dataset; keypoints that nobody annotated are left out."""
    by_dataset = told["annotated_percent"]
    shown = [name for name in KEYPOINTS if any(shares[name] for shares in by_dataset.values())]
    return [("keypoint", *by_dataset), *((n, *(f"{shares[n]:.1f}" for shares in by_dataset.values())) for n in shown)]
