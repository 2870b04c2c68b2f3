"""From runs to a folder: score, draw, fill in, publish."""

import re
from collections.abc import Sequence
from pathlib import Path

import torch

from posedata.errors import BadInputError
from posedata.files import sync_tree, write_durably
from posedata.progress import Progress
from posedata.store.staging import publish, staged
from posetrain.report.collect import Block, identity_pck, load_trained, score_all
from posetrain.report.curves import curves_svg
from posetrain.report.page import Contents, html, markdown, picture_name
from posetrain.report.tables import as_csv, joint_table, pck_table
from posetrain.report.worst import worst_png, worst_windows
from posetrain.sources import Feed

PAGE_NAME = "report.html"
_OURS = re.compile(r"report\.(html|md)|pck\.csv|joints\.csv|curves\.svg|worst-.*\.png")


def write_report(
    runs: Sequence[Path],
    out: Path,
    overwrite: bool,
    device: torch.device,
    feed: Feed,
    progress: Progress,
    sequences: bool = False,
) -> Contents:
    """Report on runs: their best epochs beside the baselines, on the windows of their own stores.

    Args:
        runs: what to report on.
        out: folder to make: report.html, report.md, pck.csv, joints.csv, curves.svg, worst-RUN.png.
        overwrite: whether a report that stands there may be replaced.
        device: where models run.
        feed: how heatmaps come.
        progress: told of the windows.
        sequences: whether runs are also scored over whole sequences.

    Raises:
        BadInputError: if no epoch of any run is finished, or a store is not what it was.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if a run or a store is damaged.
    """
    out = out.absolute()
    with staged(out, overwrite, is_report) as folder:
        trained, left_out = load_trained(runs, device)
        if not trained:
            told = ", ".join(map(str, left_out)) or "report"
            raise BadInputError(f"{told}: expected runs with a finished epoch, found none")
        blocks = score_all(trained, device, feed, progress, sequences)
        contents = Contents(
            [pck_table(block) for block in blocks],
            [joint_table(block) for block in blocks],
            curves_svg(trained, identity_pck(trained, device, feed, progress)),
            _pictures(blocks, device, feed, progress),
            left_out,
            {run.subject.store.path.stem: run.subject.store.manifest.content_digest for run in trained},
        )
        for name, content in _files(contents).items():
            write_durably(folder / name, [content])
        sync_tree(folder)
        publish(folder, out)
    return contents


def is_report(folder: Path) -> bool:
    """Whether a folder is a report, and nothing else."""
    return (folder / PAGE_NAME).is_file() and all(_OURS.fullmatch(path.name) for path in folder.iterdir())


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
