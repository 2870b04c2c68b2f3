"""What `posedata info` tells of a store: rows of heading and value, from a report of `posedata.assemble.report`."""

from collections.abc import Iterator, Mapping
from typing import Any

from posedata.config import k_text
from posedata.splits import SPLITS


def heatmap_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Of a store of temporal heatmaps."""
    apart = ", ".join(f"{name} {report['windows'][name]:,}" for name in SPLITS if name != "train")
    windows = f"train {report['windows']['train']:,}; sharing no frame: {apart}"
    yield "datasets", _datasets(report["recipe"])
    yield from _origin(report["recipe"])
    yield from reader_rows(report)
    yield from _boxes(report["recipe"])
    yield "noise", _noise(report["recipe"]["noise"], report["shift_std"])
    yield "split", f"{_or_mixed(report['recipe']['split'])}, seed {_or_mixed(report['recipe']['seed'])}"
    yield "sequences", f"{report['sequences']:,}"
    yield "frames", f"{report['frames']:,} ({report['empty_frames']:,} empty)"
    yield "keypoints", f"{report['annotated_keypoints']:,} annotated"
    yield "windows", f"{report['windows_total']:,} of 5 frames ({windows})"
    torso = report["mean_torso_diameter"]
    yield "mean torso", "none" if torso is None else f"{torso:.4f} grid px"


def reader_rows(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Who has read the raw data, where that was not posedata alone."""
    return (("read by", f"{name}: {package}") for name, package in report.get("readers", {}).items())


def _datasets(recipe: Mapping[str, Any]) -> str:
    parts = (d["dataset"] + (f" ({', '.join(d['actions'])})" if d["actions"] else "") for d in recipe["datasets"])
    return ", ".join(parts) + (f", at {recipe['fps']:g} frames a second" if "fps" in recipe else "")


def _origin(recipe: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Of a store made from others, how."""
    if "parents" in recipe:
        parents = ", ".join(parent["content_digest"][:8] for parent in recipe["parents"])
        yield "made as", f"{recipe['operation']} of {parents}"


def _boxes(recipe: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """How far they are off, where they are not quite those of the keypoints."""
    if told := [
        *(["one a sequence"] if "box_span" in recipe else []),
        *([f"off by {recipe['box_jitter']:g} of their side"] if "box_jitter" in recipe else []),
    ]:
        yield "boxes", ", ".join(told)


def _noise(noise: Mapping[str, Any] | None, shift_std: float | None) -> str:
    if noise is None:
        return "none: a detector's heatmaps"
    sigmas = ", ".join(f"{s:g}" for s in noise["sigmas"])
    shift = _or_mixed(shift_std, "{:.4f} grid px")
    return f"k {k_text(noise['k'])}: shift std {shift}; sigma {sigmas} a {noise['sigma_per']}"


def _or_mixed(value: object, form: str = "{}") -> str:
    """None is what the parents of a derived store do not have in common."""
    return "mixed" if value is None else form.format(value)
