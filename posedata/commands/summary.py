"""What commands print of a store."""

from collections.abc import Mapping
from typing import Any

from posedata import console

_MOST_LISTED = 10


def print_report(report: Mapping[str, Any], as_json: bool, quiet: bool) -> None:
    """Print the report of `posedata.assemble.report`: as JSON, or as a table with what was left out on stderr."""
    if as_json:
        console.print_json(report)
        return
    from posedata.shown import shown

    rows: list[tuple[str, object]] = [
        ("store", report["store"]),
        ("kind", report["kind"] + (" (synthetic)" if report["synthetic"] else "")),
        *shown(report["kind"]).rows(report),
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


def _or_none(value: object, form: str) -> str:
    return "none" if value is None else form.format(value)
