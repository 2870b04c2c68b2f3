"""How often people who are linked from frame to frame become somebody else. Prints JSON.

python tests/benchmarks/linking.py PENN_ACTION [--scenes 60] [--seed 0]

A scene is some real sequences of Penn Action in one picture, 3 s each, 180 to 300 px tall, moving across it at up to
5 px a frame, so that they cross. What a detector does is put on: noise, joints and people that are missed, those who
stand behind others mostly, second finds of a person, and an order that changes with every frame. `switches` are told
of 1,000 poses: where a person is in another track than before, or begins a new one. `pure` is the share of poses, in
percent, that are in a track mostly of their own person. Beside the linking of `posetrain predict`: overlap of the boxes
alone, and the nearest middle.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from posedata.errors import BadInputError
from posedata.formats import FORMATS
from posedata.linking import link_poses

Floats = NDArray[np.float64]
Links = list[dict[int, int]]
Link = Callable[[list[tuple[int, Floats]]], Links]

FRAMES, SIZE, SPEED, MOST_GAP = 90, (180, 300), 5.0, 30
_NOBODY = -1
"""Who a second find of somebody is."""

GROUND = (200.0, 1000.0)
"""Where people are in the middle of a scene, in pixels."""


class Scene(NamedTuple):
    """What is seen in each frame, and who it is."""

    seen: list[tuple[int, Floats]]
    who: list[list[int]]


CONDITIONS: dict[str, dict[str, float]] = {
    "three people": {},
    "five people": {"people": 5},
    "every third frame": {"every": 3},
    "one pose in seven missed": {"missed": 0.15},
    "noise of 5 % of the size": {"noise": 0.05},
    "one pose in twenty seen twice": {"twice": 0.05},
    "three joints of one in twenty seen again": {"part": 0.05},
}


def scene(
    sequences: list[Floats],
    rng: np.random.Generator,
    people: int = 3,
    every: int = 1,
    noise: float = 0.02,
    missed: float = 0.03,
    hidden: float = 0.7,
    twice: float = 0.0,
    part: float = 0.0,
) -> Scene:
    """One scene; a person whose box lies behind another's by 60 % is `hidden` that often.

    A pose is seen `twice`, or a `part` of three joints of it once more, in such a share.
    """
    walks = [walk(sequences[rng.integers(len(sequences))], rng) for _ in range(people)]
    depth = rng.permutation(people)
    seen, who = [], []
    for frame in range(0, FRAMES, every):
        boxes = [box(walked[frame]) for walked in walks]
        shown = []
        for i, walked in enumerate(walks):
            behind = any(
                depth[j] < depth[i] and shared(boxes[i], boxes[j]) > 0.6 * area(boxes[i]) for j in range(people)
            )
            if rng.random() < missed or (behind and rng.random() < hidden):
                continue
            pose = walked[frame] + rng.normal(0, noise * (boxes[i][1] - boxes[i][0]).max(), walked[frame].shape)
            pose[rng.random(len(pose)) < 0.05] = np.nan
            if np.isnan(pose).all():
                continue
            shown.append((i, pose))
            again = pose + rng.normal(0, 2, pose.shape)
            if rng.random() < twice:
                shown.append((_NOBODY, again))
            if rng.random() < part:
                again[rng.permutation(np.flatnonzero(~np.isnan(pose[:, 0])))[3:]] = np.nan
                shown.append((_NOBODY, again))
        rng.shuffle(shown)  # type: ignore[arg-type]
        seen.append((frame, np.asarray([pose for _, pose in shown]).reshape(-1, 25, 2)))
        who.append([i for i, _ in shown])
    return Scene(seen, who)


def walk(points: Floats, rng: np.random.Generator) -> Floats:
    """(FRAMES, 25, 2) pixels of a sequence, forwards and backwards, somewhere and moving."""
    there_and_back = np.concatenate([points, points[-2:0:-1]])
    pose = there_and_back[np.arange(FRAMES) % len(there_and_back)]
    low, high = box(points[0])
    pose = (pose - (low + high) / 2) / (high - low).max() * rng.uniform(*SIZE)
    across = rng.uniform(*GROUND) + rng.uniform(-SPEED, SPEED) * (np.arange(FRAMES) - FRAMES / 2)
    return pose + np.stack([across, np.full(FRAMES, rng.uniform(240, 330))], axis=-1)[:, None]


def box(pose: Floats) -> Floats:
    """(..., 2, 2) corners."""
    return np.stack([np.nanmin(pose, axis=-2), np.nanmax(pose, axis=-2)], axis=-2)


def area(corners: Floats) -> float:
    """Of one box."""
    return float(np.clip(corners[1] - corners[0], 0, None).prod())


def shared(one: Floats, other: Floats) -> float:
    """Area that two boxes share."""
    return area(np.stack([np.maximum(one[0], other[0]), np.minimum(one[1], other[1])]))


def by(likeness: Callable[[Floats, Floats], float], least: float) -> Link:
    """Linked to the last pose of each track by a likeness of two poses, and nothing else."""

    def link(seen: list[tuple[int, Floats]]) -> Links:
        tracks: Links = []
        last: list[tuple[int, Floats]] = []
        for frame, poses in seen:
            live = [i for i, (at, _) in enumerate(last) if frame - at <= MOST_GAP + 1]
            alike = np.asarray([[likeness(last[i][1], pose) for pose in poses] for i in live])
            pairs = zip(*linear_sum_assignment(alike, maximize=True), strict=True) if alike.size else []
            owner = {int(j): live[int(i)] for i, j in pairs if alike[i, j] >= least}
            for j, pose in enumerate(poses):
                if j not in owner:
                    owner[j] = len(tracks)
                    tracks.append({})
                    last.append((frame, pose))
                tracks[owner[j]][frame] = j
                last[owner[j]] = frame, pose
        return tracks

    return link


def overlap(one: Floats, other: Floats) -> float:
    """Intersection over union of the boxes around two poses."""
    both = shared(box(one), box(other))
    return both / max(area(box(one)) + area(box(other)) - both, 1.0)


def nearness(one: Floats, other: Floats) -> float:
    """The less, the further the middles of two poses are from each other."""
    return -float(np.linalg.norm(np.nanmean(one, axis=0) - np.nanmean(other, axis=0)))


LINKS: dict[str, Link] = {
    "posetrain predict": link_poses,
    "overlap of 0.3": by(overlap, 0.3),
    "middle within 150 px": by(nearness, -150),
}


def measure(scenes: list[Scene], link: Link) -> dict[str, float]:
    """Switches and purity over scenes."""
    poses = switches = pure = 0
    for one in scenes:
        track = {(frame, i): n for n, links in enumerate(link(one.seen)) for frame, i in links.items()}
        names: dict[int, list[int]] = {}
        members: dict[int, Counter[int]] = {}
        for (frame, _), who in zip(one.seen, one.who, strict=True):
            for i, person in enumerate(who):
                if person == _NOBODY:
                    continue
                names.setdefault(person, []).append(track[frame, i])
                members.setdefault(track[frame, i], Counter())[person] += 1
        poses += sum(person != _NOBODY for who in one.who for person in who)
        switches += sum(a != b for own in names.values() for a, b in pairwise(own))
        pure += sum(max(own.values()) for own in members.values())
    return {"switches": round(1000 * switches / poses, 1), "pure": round(100 * pure / poses, 1)}


def read(raw: Path) -> list[Floats]:
    """(T, 25, 2) of every sixth sequence that has 60 frames and eight keypoints in each."""
    dataset = FORMATS["penn_action"].open(raw)
    found = []
    for item in dataset.items()[::6]:
        try:
            points = dataset.read(item).points[:120]
        except BadInputError:
            continue
        if len(points) >= 60 and (~np.isnan(points[..., 0])).sum(axis=1).min() >= 8:
            found.append(points)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--scenes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sequences = read(options.raw)
    found = {}
    for name, changed in CONDITIONS.items():
        seeds = np.random.SeedSequence(options.seed).spawn(options.scenes)
        scenes = [scene(sequences, np.random.default_rng(seed), **changed) for seed in seeds]  # type: ignore[arg-type]
        found[name] = {kind: measure(scenes, link) for kind, link in LINKS.items()}
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
