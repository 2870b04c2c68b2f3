"""From a store to what is told of it: one dictionary, from which tables, JSON and the page are made."""

from pathlib import Path
from typing import Any

from posedata.files import need_outside, whole_file
from posedata.progress import Progress, silent
from posedata.skeleton import KEYPOINTS
from posedata.splits import SPLITS
from posedata.stats.distribution import shared_edges
from posedata.stats.doubts import Facts, find_doubts
from posedata.stats.measure import Measured, measure
from posedata.stats.shift import measured_shift
from posedata.store.reader import Store, open_store
from posedata.store.views import sequence_names
from posedata.windows import WINDOW

PLACES = (*SPLITS, "none")
"""Where frames are: in a split, or in none."""

_WORDS = {
    "torso_diameter": ("torso diameter", "grid px"),
    "joint_speed": ("speed of a joint", "grid px a frame"),
    "mean_speed": ("mean speed of a frame's joints", "grid px a frame"),
    "box_side": ("longer side of the box", "px"),
    "input_shift": ("distance of the input from the target", "grid px"),
}


def write_stats(path: Path, out: Path | None, overwrite: bool, progress: Progress = silent) -> dict[str, Any]:
    """Measure a store, and make a page of it where one is asked for.

    Args:
        path: the store.
        out: the HTML page to make; None = none.
        overwrite: whether a file that stands there may be replaced.
        progress: told of the frames.

    Returns:
        See `describe`.

    Raises:
        BadInputError: if there is no such store.
        ChoiceError: if `out` lies in the store.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if the store is damaged.
    """
    if out is None:
        return describe(open_store(path), progress)
    from posedata.stats.page import render  # a package that is missing is told before the work

    need_outside(out, path)
    with whole_file(out, overwrite) as part:
        told = describe(open_store(path), progress)
        part.write_text(render(told), encoding="utf-8")
    return told


def describe(store: Store, progress: Progress = silent) -> dict[str, Any]:
    """Everything that is told of a store, ready for JSON.

    Raises:
        IntegrityError: if the store is damaged.
    """
    found = measure(store, progress)
    videos = [f"{d}/{v}" for d, v in zip(store["sequence_dataset"], store["sequence_video"], strict=True)]
    facts = Facts(found, sequence_names(store), videos, store.attributes)
    return {
        "store": str(store.path),
        "content_digest": store.manifest.content_digest,
        "synthetic": store.attributes["synthetic"],
        "frames": len(store),
        "sequences": len(facts.names),
        "videos": len(set(videos)),
        "mind": [vars(doubt) for doubt in find_doubts(facts)],
        "frames_by": _frames_by(store, found),
        "annotated_percent": _annotated(found),
        "windows": {str(step): counts for step, counts in found.windows.items()},
        "window_length": WINDOW,
        "noise": _noise(facts),
        "identity_pck": _identity(found),
        "distributions": _distributions(found),
    }


def _frames_by(store: Store, found: Measured) -> list[dict[str, Any]]:
    """A row for every action of every dataset."""
    actions = store["sequence_action"].astype(str)
    rows = []
    for dataset, action in sorted(set(zip(found.dataset.tolist(), actions.tolist(), strict=True))):
        inside = (found.dataset == dataset) & (actions == action)
        counts = dict(zip(PLACES, found.frames[inside].sum(axis=0).tolist(), strict=True))
        row = {"dataset": found.datasets[dataset], "action": action, "sequences": int(inside.sum())}
        rows.append(row | {"frames": sum(counts.values())} | counts)
    return rows


def _annotated(found: Measured) -> dict[str, dict[str, float]]:
    """Dataset -> keypoint -> percent of the frames."""
    told = {}
    for number, dataset in enumerate(found.datasets):
        frames = int(found.frames[found.dataset == number].sum())
        told[dataset] = {
            name: 100 * count / frames for name, count in zip(KEYPOINTS, found.annotated[number].tolist(), strict=True)
        }
    return told


def _noise(facts: Facts) -> dict[str, Any] | None:
    """What shifts the input, as recorded and as found; None for a detector's.

    A merge of stores that were shifted differently has no one k and standard deviation: None.
    """
    noise = facts.attributes["recipe"]["noise"]
    if noise is None:
        return None
    k, std = noise["k"], facts.attributes["measured"]["shift_std"]
    measured = measured_shift(std, facts.measured.axis_shift)
    return {
        "k": k,
        "k_measured": k * measured / std if measured is not None and k is not None else None,
        "shift_std": std,
        "shift_std_measured": measured,
    }


def _identity(found: Measured) -> dict[str, dict[str, Any]]:
    """Split -> PCK of the input as it is, over all frames of the split."""
    told = {}
    for index, split in enumerate(SPLITS):
        if frames := int(found.frames[:, index].sum()):
            scored = found.frames_scored[split]
            told[split] = {
                "frames_scored": scored,
                "frames_unscored": frames - scored,
                "keypoints": int(found.pck[split].counted.sum()),
                "pck": found.pck[split].percent() or {},
            }
    return told


def _distributions(found: Measured) -> dict[str, dict[str, Any]]:
    told = {}
    for name, each in found.distributions.items():
        edges = shared_edges(each)
        what, unit = _WORDS[name]
        datasets = {dataset: d.as_dict(edges) for dataset, d in zip(found.datasets, each, strict=True)}
        told[name] = {"what": what, "unit": unit, "edges": edges.tolist(), "datasets": datasets}
    return told
