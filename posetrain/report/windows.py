"""Report on refiners: score, draw, fill in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from posedata.progress import Progress
from posetrain.report.collect import Block, curves_of, identity_pck, load_trained, score_all, store_names
from posetrain.report.curves import curves_svg
from posetrain.report.made import PAGE_NAME, Report
from posetrain.report.page import Contents, html, markdown, picture_name
from posetrain.report.tables import as_csv, joint_table, pck_table
from posetrain.report.worst import worst_png, worst_windows
from posetrain.sources import Feed


def report_windows(
    runs: Sequence[Path], options: Mapping[str, Any], device: torch.device, progress: Progress
) -> Report:
    """Refiners beside the baselines, on the windows of their own stores; see `posetrain.report.write.write_report`."""
    contents = contents_of(runs, device, options["feed"], progress, options["sequences"])
    tables = {"pck": [asdict(table) for table in contents.pck], "joints": [asdict(t) for t in contents.joints]}
    return Report(_files(contents), tables, [("table", table.title) for table in contents.pck], contents.left_out)


def contents_of(
    runs: Sequence[Path], device: torch.device, feed: Feed, progress: Progress, sequences: bool = False
) -> Contents:
    """What the report shows; with `sequences` runs are also scored over whole sequences.

    Raises:
        BadInputError: if a store is not what it was.
        IntegrityError: if a run or a store is damaged.
    """
    trained, left_out = load_trained(runs, device)
    blocks = score_all(trained, device, feed, progress, sequences)
    return Contents(
        [pck_table(block) for block in blocks],
        [joint_table(block) for block in blocks],
        curves_svg(curves_of(trained, identity_pck(trained, device, feed, progress)), "identity"),
        _pictures(blocks, device, feed, progress),
        left_out,
        {name: digest for digest, name in store_names([run.subject.store for run in trained]).items()},
    )


def _pictures(blocks: Sequence[Block], device: torch.device, feed: Feed, progress: Progress) -> dict[str, bytes]:
    rows = [row for block in blocks if block.split == "test" for row in block.rows]
    pictures = {}
    with progress("worst windows", len(rows), "rows") as advance:
        for row in rows:
            if row.trained and (worst := worst_windows(row.trained, "test", row.scores, device, feed)):
                pictures[row.name] = worst_png(worst)
            advance(1)
    return pictures


def _files(contents: Contents) -> dict[str, bytes]:
    return {
        "report.md": markdown(contents).encode(),
        "pck.csv": as_csv(contents.pck).encode(),
        "joints.csv": as_csv(contents.joints).encode(),
        "curves.svg": contents.curves,
        **{picture_name(name): png for name, png in contents.worst.items()},
        PAGE_NAME: html(contents).encode(),
    }
