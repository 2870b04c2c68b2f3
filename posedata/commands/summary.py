"""What commands print of a store."""

from collections.abc import Iterator, Mapping
from typing import Any

from posedata import console

_MOST_LISTED = 10


def print_report(report: Mapping[str, Any], as_json: bool, quiet: bool) -> None:
    """Print the report of `posedata.assemble.report`: as JSON, or as a table with what was left out on stderr."""
    if as_json:
        console.print_json(report)
        return
    rows: list[tuple[str, object]] = [
        ("store", report["store"]),
        ("kind", report["kind"] + (" (synthetic)" if report["synthetic"] else "")),
        *_of_kind(report),
        ("size", _or_none(report["bytes"], "{:,} bytes")),
        ("digest", _or_none(report["content_digest"], "{}")),
    ]
    if "seconds" in report:
        rows.append(("seconds", report["seconds"]))
    console.print_table(rows)
    for item in report["skipped"][:_MOST_LISTED]:
        console.remark(f"left out: {item['item']}: {item['reason']}", quiet)
    if len(report["skipped"]) > _MOST_LISTED:
        console.remark(f"left out: {len(report['skipped']) - _MOST_LISTED} more; --json lists them all", quiet)
    for warning in report["warnings"]:
        console.remark(f"warning: {warning}", quiet)


def _of_kind(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """What stores of one kind alone have."""
    from posedata.crops.schema import KIND

    return _of_crops(report) if report["kind"] == KIND else _of_heatmaps(report)


def _of_crops(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    from posedata.crops.schema import DEALT

    recipe, mean = report["recipe"], report["mean_rgb"]
    yield "datasets", recipe["dataset"]
    yield from _readers(report)
    yield "heatmaps", f"rendered; sigma {recipe['sigma_visible']:g} visible, {recipe['sigma_occluded']:g} occluded"
    splits = ", ".join(f"{name} {report['splits'][name]:,}" for name in DEALT)
    yield "split", f"{splits}, seed {recipe['seed']}"
    yield "crops", f"{report['frames']:,} from {report['images']:,} images"
    yield "keypoints", f"{report['visible_keypoints']:,} visible, {report['occluded_keypoints']:,} occluded"
    yield "outside", f"{report['keypoints_outside']:,} labelled keypoints outside their crop"
    yield from (("left out", f"{count:,} {what}") for what, count in report["left_out"].items())
    yield "mean RGB", "none" if mean is None else ", ".join(f"{value:.4f}" for value in mean)


def _of_heatmaps(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    from posedata.splits import SPLITS

    windows = ", ".join(f"{name} {report['windows'][name]:,}" for name in SPLITS)
    yield "datasets", _datasets(report["recipe"])
    yield from _origin(report["recipe"])
    yield from _readers(report)
    yield from _boxes(report["recipe"])
    yield "noise", _noise(report["recipe"]["noise"], report["shift_std"])
    yield "split", f"{_or_mixed(report['recipe']['split'])}, seed {_or_mixed(report['recipe']['seed'])}"
    yield "sequences", f"{report['sequences']:,}"
    yield "frames", f"{report['frames']:,} ({report['empty_frames']:,} empty)"
    yield "keypoints", f"{report['annotated_keypoints']:,} annotated"
    yield "windows", f"{report['windows_total']:,} of 5 frames ({windows})"
    yield "mean torso", _or_none(report["mean_torso_diameter"], "{:.4f} grid px")


def _readers(report: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
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
    from posedata.config import k_text

    sigmas = ", ".join(f"{s:g}" for s in noise["sigmas"])
    shift = _or_mixed(shift_std, "{:.4f} grid px")
    return f"k {k_text(noise['k'])}: shift std {shift}; sigma {sigmas} a {noise['sigma_per']}"


def _or_mixed(value: object, form: str = "{}") -> str:
    """None is what the parents of a derived store do not have in common."""
    return "mixed" if value is None else form.format(value)


def _or_none(value: object, form: str) -> str:
    return "none" if value is None else form.format(value)
