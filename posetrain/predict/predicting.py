"""From a detector's keypoints or heatmaps to refined keypoints in a file."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch

from posedata.errors import BadInputError
from posedata.files import need_free, need_outside, whole_file
from posedata.formats.keypoints.tracks import Track
from posedata.geometry import count_outside
from posedata.progress import Advance, Progress, silent
from posedata.skeleton import K
from posetrain.known import names_of, need_known
from posetrain.overlap import lonely
from posetrain.predict.blend import Answer, refine_run
from posetrain.predict.inputs import Given, open_input
from posetrain.predict.online import Online, refine_run_online
from posetrain.predict.outputs import Refined, find_writer
from posetrain.predict.people import Person
from posetrain.trained import Trained, find_trained

_LONG = 1 << 23
"""Bytes of a file of keypoints that takes seconds to be read, and longer where people are linked."""


def _is_long(given: Path) -> bool:
    return given.is_file() and given.stat().st_size > _LONG


def predict(
    name: str,
    given: Path | str,
    out: Path | str,
    device: torch.device,
    sequences: Sequence[str] = (),
    overwrite: bool = False,
    progress: Progress = silent,
    film: Path | str | None = None,
    video: Path | str | None = None,
    delay: int | None = None,
    heatmaps: bool = False,
) -> dict[str, Any]:
    """Refine all people of an input, and write them into a file.

    Args:
        name: of the model, see `posetrain.trained.find_trained`.
        given: the input, see `posetrain.predict.inputs.open_input`.
        out: the file; its ending says of which kind.
        device: where the model runs.
        sequences: of a store, by name; none = all.
        overwrite: whether a file that is there may be replaced.
        progress: told of the frames, and of a long file while it is read.
        film: of the result, an .mp4; None = none is made.
        video: film or folder to draw it over, see `posetrain.predict.film.skeleton_film`; None = a blank ground.
        delay: frames that an answer may wait for, see `posetrain.predict.online`; None = for all.
        heatmaps: whether `out` is to hold those, see `posedata.heatmaps.gaussians`, in place of points.

    Returns:
        What was done, for a report.

    Raises:
        BadInputError: if there is no such model or input, it cannot be read, or the model knows none of its keypoints.
        ChoiceError: if an option does not fit.
        ConflictError: if a file is there.
        IntegrityError: if files of the run or of a store are damaged.
    """
    out, film, video = Path(out), Path(film) if film else None, Path(video) if video else None
    for path in filter(None, (out, film)):
        need_free(path, overwrite)
    trained = find_trained(name, device)
    with progress("reading", 1, "files") if _is_long(Path(given)) else nullcontext():
        found = open_input(given, sequences, device, bridge=delay is None)  # online nobody knows what is behind a gap
    for path in filter(None, (out, film)) if found.path.is_dir() else ():
        need_outside(path, found.path)
    write = find_writer(out, found, heatmaps)
    work = _Work(trained, found, device, None if delay is None else Online(trained, delay, device), heatmaps)
    with ExitStack() as stack:
        part = stack.enter_context(whole_file(out, overwrite))
        show = None
        if film is not None:
            from posetrain.predict.film import skeleton_film

            show = stack.enter_context(skeleton_film(film, found, video, overwrite))
        begun = time.monotonic()
        with progress("refining", sum(map(len, found.people)), "frames") as advance:
            # A film takes them a second time.
            people = list(work.people(advance)) if show else work.people(advance)
            write(part, people, found)
            work.need_known()
        rate = work.frames / max(time.monotonic() - begun, 1e-9)
        if show:
            show(list(people), progress)
    made = {"out": str(out)} | ({"film": str(film)} if film else {})
    about = made | {"model": trained.model, "epoch": trained.epoch, "input": str(found.path)}
    return about | work.report() | {"frames_per_second": round(rate, 1)}


class _Work:
    """The people of an input, refined one by one, and what there is to say of it."""

    def __init__(
        self, trained: Trained, given: Given, device: torch.device, online: Online | None, heatmaps: bool
    ) -> None:
        self._trained, self._given, self._device, self._online = trained, given, device, online
        self._heatmaps = heatmaps
        self.frames = sum(int(person.there.sum()) for person in given.people)
        self._bridged = sum(map(len, given.people)) - self.frames
        self._there, self._said = np.zeros(K, np.int64), np.zeros(K, np.int64)
        self._left = self._unboxed = self._outside = self._alone = 0

    def people(self, advance: Advance) -> Iterator[Refined]:
        """Everybody, in order."""
        for person in self._given.people:
            yield self._refine(person, advance)

    def _refine(self, person: Person, advance: Advance) -> Refined:
        answers = [self._refine_run(person, run, advance) for run in person.runs]
        there = person.there
        given, points, confidence = (
            np.concatenate([getattr(answer, name) for answer in answers])[there]
            for name in ("given", "found", "confidence")
        )
        self._outside += count_outside(points, person.boxes[there])
        self._left += sum(answer.left for answer in answers)
        self._unboxed += sum(answer.unboxed for answer in answers)
        refined = [run for run, answer in zip(person.runs, answers, strict=True) if not answer.left]
        self._alone += sum(lonely(there[run], self._trained.frame_step) for run in refined)
        self._there += (~np.isnan(given[..., 0])).sum(axis=0)
        self._said += (~np.isnan(points[..., 0])).sum(axis=0)
        track = Track(person.frame_number[there], points, confidence, person.turn)
        return Refined(person.name, person.fps, track, given)

    def _refine_run(self, person: Person, run: slice, advance: Advance) -> Answer:
        if self._online:
            return refine_run_online(self._online, person, run, advance)
        return refine_run(self._trained, person, run, self._device, advance)

    def need_known(self) -> None:
        """Raise BadInputError if the input has no keypoint, or none that the model has seen in its training."""
        if not self._there.any():
            raise BadInputError(f"{self._given.path}: expected at least one keypoint, found none")
        if self._trained.seen is not None:
            need_known(self._given.path, self._there > 0, self._trained.seen)

    def report(self) -> dict[str, Any]:
        """Counts, and what a careful person should know."""
        seen = self._trained.seen
        unseen = () if seen is None else names_of((self._there > 0) & ~seen)
        return {
            "sequences": len(self._given.people),
            "frames": self.frames,
            "keypoints": int(self._said.sum()),
            "missing": self.frames * K - int(self._there.sum()),
            "lost": int((self._there - self._said).sum()),
            "frames_bridged": self._bridged,
            "frames_not_refined": self._left,
            "keypoints_not_refined": list(unseen),
            "delay": self._online.delay if self._online else None,
            "latency_ms": self._latency(),
            "warnings": [*self._given.warnings, *self._warnings(unseen)],
        }

    def _latency(self) -> float | None:
        """Milliseconds of video that an answer waits; None for all of it, or where the rate is not known or not one."""
        rates = {person.fps / self._given.stride for person in self._given.people}
        fps = rates.pop() if len(rates) == 1 else math.nan
        return round(1000 * self._online.delay / fps, 1) if self._online and fps > 0 else None

    def _warnings(self, unseen: tuple[str, ...]) -> Iterator[str]:
        if (stride := self._given.stride) > 1:
            every = {2: "2nd", 3: "3rd"}.get(stride, f"{stride}th")
            yield f"only every {every} frame is there: taken for frames that follow each other"
        if self._bridged:
            yield f"{self._bridged:,} frames of people missing in short gaps: bridged for the model, and not written"
        if short := self._left - self._unboxed:
            least = self._trained.shortest * self._trained.frame_step
            yield f"{short:,} frames in runs of fewer than {least}, the least the model takes: handed through"
        if self._alone:
            yield f"{self._alone:,} frames without a neighbour in time: refined by their own pose alone"
        if self._unboxed:
            yield f"{self._unboxed:,} frames without a box, which takes two keypoints that are apart: handed through"
        if self._heatmaps and self._outside:
            yield f"{self._outside:,} keypoints outside of their frame's box: their heatmaps are at its border"
        if unseen:
            yield f"the model was not trained on {', '.join(unseen)}: handed through"
        if self._trained.seen is None:
            yield "the store that the run was trained on is not at hand: which keypoints it knows cannot be told"
