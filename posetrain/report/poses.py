"""Report on models that look at pixels, whatever the kind of their store: score, draw, fill in."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from posedata.preview.draw import png
from posedata.progress import Progress
from posetrain import checkpoints
from posetrain.config import TrainConfig
from posetrain.history import load_history
from posetrain.judging import Judge, Scores
from posetrain.kinds import Samples
from posetrain.models import count_parameters
from posetrain.report.curves import Curve, curves_svg
from posetrain.report.made import PAGE_NAME, Report
from posetrain.report.names import names, steps
from posetrain.report.page import filled, plain_name
from posetrain.report.posetables import Block, Line, PosePage, Stored, as_csv
from posetrain.report.showing import Shown, picked, predicted, sheet
from posetrain.trained import MEAN_POSE, Opened, open_run


@dataclass(frozen=True, eq=False)
class Examined:
    """A run, scored.

    Attributes:
        line: its row of a table.
        curve: what it has learnt.
        picture: PNG of its predictions; None of what predicts no pose.
        block: where the line belongs, with that of the mean pose.
    """

    line: Line
    curve: Curve
    picture: bytes | None
    block: Block


def report_poses(
    shown: Shown, runs: Sequence[Path], options: Mapping[str, Any], device: torch.device, progress: Progress
) -> Report:
    """Runs beside the mean pose, on samples of their own stores; see `posetrain.report.write.write_report`.

    One run is in memory at a time.
    """
    del options  # of refiners
    examined, left_out = [], []
    for run, name in zip(runs, names(runs, (MEAN_POSE,)), strict=True):
        history = load_history(run)
        if history:
            examined.append(_examined(shown, run, name, history, device, progress))
        else:
            left_out.append(run)
    page = PosePage(
        shown.judge.measure,
        shown.scored,
        shown.pictured,
        _blocks(examined),
        curves_svg([one.curve for one in examined], MEAN_POSE),
        {one.line.name: one.picture for one in examined if one.picture},
        left_out,
    )
    return Report(_files(page), _told(page), list(page.rows()), left_out)


def _examined(
    shown: Shown,
    path: Path,
    name: str,
    history: Sequence[Mapping[str, float]],
    device: torch.device,
    progress: Progress,
) -> Examined:
    judge, config, run = shown.judge, checkpoints.read_run(path).config, open_run(path, None, device)
    finished = (path / checkpoints.SUMMARY_NAME).exists()
    split = _scored_split(judge, run.store)
    samples = judge.samples(run.store, split, device)
    scores = judge.score(run.model, run.task, samples, progress, f"{name}, {split}")
    trained, validation = (
        judge.kind.samples(config, run.store, part, device, "auto") for part in ("train", "validation")
    )
    line = Line(
        name=name,
        model=config.model,
        training=_training(config, len(trained), len(history), finished),
        parameters=count_parameters(run.model),
        epoch=run.epoch,
        loss=scores.loss,
        scores=scores.parts,
    )
    baseline = judge.score_mean_pose(run.store, validation).parts.get("all") if scores.parts else None
    return Examined(
        line,
        Curve(config.model, name, history, baseline),
        _picture(shown, run, samples, scores),
        _block(judge, run.store, split, samples, line),
    )


def _scored_split(judge: Judge, store: Any) -> str:
    """The first split for scores that has samples."""
    counts = store.attributes["counts"]["splits"]
    return next((split for split in judge.splits if counts[split]), judge.splits[-1])


def _training(config: TrainConfig, samples: int, epochs: int, finished: bool) -> str:
    """How a run was trained, in words."""
    parts = [
        steps(config, samples, epochs),
        f"{config.optimizer} at {config.learning_rate:g}, {config.schedule}",
        *([f"begun with {Path(config.init).name}"] if config.init else []),
        *(["backbone frozen"] if config.frozen else []),
        f"seed {config.seed}",
        *([] if finished else ["unfinished"]),
    ]
    return "; ".join(parts)


def _picture(shown: Shown, run: Opened, samples: Samples, scores: Scores) -> bytes | None:
    groups = picked(scores.errors, shown.each)
    if not groups:
        return None
    tiles = {}
    for name, numbers in groups.items():
        found = predicted(run.model, run.task, samples, numbers)
        tiles[name] = shown.draw(run.store, samples.starts[numbers], found)
    return png(sheet(tiles, shown.columns))


def _block(judge: Judge, store: Any, split: str, samples: Samples, line: Line) -> Block:
    said = judge.score_mean_pose(store, samples)
    mean = Line(MEAN_POSE, "", "the mean of what trains", None, None, None, said.parts)
    about = store.attributes
    digest, splits = store.manifest.content_digest, about["counts"]["splits"]
    stored = Stored(store.path.name, digest, about["synthetic"], about["recipe"], splits)
    return Block(stored, split, said.counted, [mean, line])


def _blocks(examined: Sequence[Examined]) -> list[Block]:
    """Lines that were scored on the same samples stand in one block, below the mean pose."""
    blocks: dict[tuple[str, str], Block] = {}
    for one in examined:
        key = (one.block.store.digest, one.block.split)
        known = blocks.get(key)
        blocks[key] = replace(known, lines=[*known.lines, one.line]) if known else one.block
    return list(blocks.values())


def _told(page: PosePage) -> dict[str, Any]:
    blocks = [asdict(block) for block in page.blocks]
    return {"measure": page.measure.title, "unit": page.measure.unit, "blocks": blocks}


def _files(page: PosePage) -> dict[str, bytes]:
    return {
        "scores.csv": as_csv(page.blocks).encode(),
        "curves.svg": page.curves,
        **{f"predictions-{plain_name(name)}.png": picture for name, picture in page.pictures.items()},
        PAGE_NAME: filled("poses.html.j2", page).encode(),
    }
