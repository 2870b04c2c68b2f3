"""Who is who: what is seen in single frames, linked to tracks by where it is expected next. Pure.

In every frame what is seen goes to the tracks it is most like, all together (the assignment of Kuhn and Munkres), which
are expected to move on as they did; one that was seen just now, and often, goes before others. What is like none begins
a track.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST_GAP = 30
"""Frames: a longer gap ends the track of a pose. A second of most films."""

ALIKE = 0.1
"""Similarity that two poses of one person have at least: joints may be off by a third of that person's size."""

_KAPPA = 0.15
"""Of all keypoints alike. COCO has 0.05 for eyes to 0.21 for hips, which is how far apart people annotate them."""

_NEW = 0.3
"""What the last step counts in a track's speed; the steps before it count the rest."""

_AT_ONCE = 20_000
"""Pairs that are compared at a time: some 20 MB of 25 joints."""

Floats = NDArray[np.float64]
Likeness = Callable[[Floats, Floats, Floats], Floats]
"""Of (m, J, 2) expected and (n, J, 2) seen points in pixels, and the (m,) frames since the former were seen, an (m, n)
number that is the larger the more they are alike."""


@dataclass(eq=False)
class _Track:
    """Where something was last, and how it moves in pixels a frame."""

    frame: int
    points: Floats
    speed: Floats = field(default_factory=lambda: np.zeros(2))
    seen: dict[int, int] = field(default_factory=dict)

    def expected(self, frame: int) -> Floats:
        return self.points + self.speed * (frame - self.frame)

    def add(self, frame: int, points: Floats) -> None:
        """Move on; a point that is not seen any more is taken to move with the others."""
        gap = frame - self.frame
        there = ~np.isnan(points - self.points).any(axis=-1)
        moved = self.speed * gap
        if there.any():
            moved = (points - self.points)[there].mean(axis=0)
            self.speed = (1 - _NEW) * self.speed + _NEW * moved / gap
        self.points = np.where(np.isnan(points), self.points + moved, points)
        self.frame = frame


def link(found: Iterable[tuple[int, Floats]], likeness: Likeness, least: float, most_gap: int) -> list[dict[int, int]]:
    """What is seen in single frames, as tracks.

    Args:
        found: frame, rising, and the (n, J, 2) points in pixels of all that is seen there; NaN = missing.
        likeness: of a track and what is seen.
        least: what it must be for both to be one.
        most_gap: frames without it after which a track has ended.

    Returns:
        The tracks in the order in which they begin, each as frame -> which of those seen there.
    """
    tracks: list[_Track] = []
    live: list[_Track] = []
    for frame, points in found:
        live = [track for track in live if frame - track.frame <= most_gap + 1]
        pairs = _pairs(live, frame, points, likeness, least) if live and len(points) else {}
        for i, seen in enumerate(points):
            if i in pairs:
                pairs[i].add(frame, seen)
            else:
                pairs[i] = _Track(frame, seen)
                live.append(pairs[i])
                tracks.append(pairs[i])
            pairs[i].seen[frame] = i
    return [track.seen for track in tracks]


def _pairs(live: list[_Track], frame: int, points: Floats, likeness: Likeness, least: float) -> dict[int, _Track]:
    """Which of those seen belong to which track."""
    from scipy.optimize import linear_sum_assignment  # a fifth of a second, and most files tell who is who

    expected = np.stack([track.expected(frame) for track in live])
    ago = np.asarray([frame - track.frame for track in live], np.float64)
    some = range(0, len(live), max(1, _AT_ONCE // len(points)))
    blocks = [slice(first, first + some.step) for first in some]
    alike = np.concatenate([likeness(expected[block], points, ago[block]) for block in blocks])
    seen = np.asarray([len(track.seen) for track in live])
    # Of two that are as like, the other may be a chance find, or anywhere by now.
    trust = seen / (seen + 1) / np.sqrt(ago)
    rows, columns = linear_sum_assignment(trust[:, None] * alike, maximize=True)
    return {j: live[i] for i, j in zip(rows.tolist(), columns.tolist(), strict=True) if alike[i, j] >= least}


def link_poses(found: Iterable[tuple[int, Floats]]) -> list[dict[int, int]]:
    """`link` of (n, J, 2) poses by their `similarity`."""
    return link(found, similarity, ALIKE, MOST_GAP)


def similarity(these: Floats, those: Floats, frames: Floats) -> Floats:
    """(m, n) object keypoint similarity of (m, J, 2) and (n, J, 2) poses in pixels, from 0 to 1; NaN = missing.

    The sum of exp(-d^2 / (2 s^2 kappa^2)) over the joints that both have, d apart, by the number of those that one of
    them has, the one that has more; s^2 is the area of the larger one's box. https://cocodataset.org/#keypoints-eval,
    but kappa is the same for all joints, and grows as the error of a walk does, by the root of the (m,) frames that lie
    between.
    """
    apart = ((these[:, None] - those[None]) ** 2).sum(axis=-1)
    area = np.maximum(_area(these)[:, None], _area(those)[None])
    near = np.exp(-apart / (2 * _KAPPA**2 * area * frames[:, None])[..., None])
    joints = np.maximum(_joints(these)[:, None], _joints(those)[None])
    return np.asarray(np.nan_to_num(near).sum(axis=-1) / np.maximum(joints, 1))


def _joints(poses: Floats) -> NDArray[np.int64]:
    """(n,) how many of the joints of (n, J, 2) poses are there."""
    return np.asarray((~np.isnan(poses).any(axis=-1)).sum(axis=-1))


def _area(poses: Floats) -> Floats:
    """(n,) px^2 of the boxes around (n, J, 2) poses, at least a pixel."""
    there = ~np.isnan(poses)
    high, low = np.where(there, poses, -np.inf).max(axis=1), np.where(there, poses, np.inf).min(axis=1)
    return np.asarray(np.maximum(np.clip(high - low, 0, None).prod(axis=-1), 1))
