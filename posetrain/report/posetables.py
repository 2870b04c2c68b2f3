"""What a report on models that look at pixels shows: tables as they are filled in, and as CSV. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posetrain.history import Score


@dataclass(frozen=True)
class Stored:
    """A store that runs were trained on: name, digest, what it was built from, how many samples are in each split."""

    name: str
    digest: str
    synthetic: bool
    recipe: Mapping[str, Any]
    splits: Mapping[str, int]


@dataclass(frozen=True)
class Line:
    """A run, or the mean pose.

    Attributes:
        name: of it.
        model: the architecture; empty for the mean pose.
        training: how it was trained.
        parameters: that training changes; None for the mean pose.
        epoch: the best one; likewise.
        loss: likewise.
        scores: part, "all" first -> score; empty of what says no pose.
    """

    name: str
    model: str
    training: str
    parameters: int | None
    epoch: int | None
    loss: float | None
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Block:
    """Lines that were scored on the same samples, the mean pose first.

    Attributes:
        store: where they are from.
        split: of it.
        counted: how many they are, in words.
        lines: what was scored.
    """

    store: Stored
    split: str
    counted: str
    lines: Sequence[Line]

    @property
    def title(self) -> str:
        """Store, split and samples."""
        return (
            f"{self.store.name}: {'SYNTHETIC data, ' if self.store.synthetic else ''}{self.split} split, {self.counted}"
        )

    @property
    def parts(self) -> list[str]:
        """What there are scores of, in any line."""
        return list(dict.fromkeys(part for line in self.lines for part in line.scores))

    @property
    def posed(self) -> list[Line]:
        """The lines that have scores."""
        return [line for line in self.lines if line.scores]

    def best(self, measure: Score, part: str = "all") -> Line | None:
        """The line with the best score of a part, the first on a tie."""
        there = [line for line in self.lines if part in line.scores]
        sign = -1 if measure.rises else 1
        return min(there, key=lambda line: sign * line.scores[part], default=None)


@dataclass(frozen=True, eq=False)
class PosePage:
    """What a report shows.

    Attributes:
        measure: what the score is.
        scored: what it means.
        pictured: what pictures show.
        blocks: tables.
        curves: SVG.
        pictures: name of a run -> PNG of its predictions.
        left_out: runs of which no epoch is finished.
    """

    measure: Score
    scored: str
    pictured: str
    blocks: Sequence[Block]
    curves: bytes
    pictures: Mapping[str, bytes]
    left_out: Sequence[Path]

    def rows(self) -> Iterator[tuple[str, str]]:
        """The tables in short."""
        for block in self.blocks:
            yield "table", block.title
            for line in block.lines:
                score = line.scores.get("all")
                told = (
                    f"{self.measure.title} {score:.1f} {self.measure.unit}"
                    if score is not None
                    else f"loss {line.loss:.5g}"
                )
                yield f"  {line.name}", told


def as_csv(blocks: Sequence[Block]) -> str:
    """All lines of all tables."""
    parts = list(dict.fromkeys(part for block in blocks for part in block.parts))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["store", "digest", "split", "name", "model", "training", "parameters", "best_epoch", "loss", *parts]
    )
    for block in blocks:
        for line in block.lines:
            about = (line.name, line.model, line.training, line.parameters, line.epoch)
            loss = "" if line.loss is None else f"{line.loss:.6g}"
            scores = (f"{line.scores[part]:.3f}" if part in line.scores else "" for part in parts)
            writer.writerow([block.store.name, block.store.digest, block.split, *about, loss, *scores])
    return text.getvalue()
