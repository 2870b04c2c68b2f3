"""What refining does to what a real detector says: MediaPipe, over photographs moved as by a hand. Prints JSON.

python tests/benchmarks/detector.py film PHOTOGRAPHS DIR [--frames 90]    (where mediapipe 0.10.21 is installed)
python tests/benchmarks/detector.py score DIR [--model default]

`film` moves every .jpg below a folder and has MediaPipe's Pose look at each frame by itself (`single-`) and at the film
(`film-`, which it smooths on its own); it writes what that says, and how the photograph was moved. Who stands in a
photograph stands still, so the movement is known, and the place is the median of what MediaPipe said of all frames,
brought back to the photograph. So `score` tells how far the refined poses scatter about it, not whether it is right:
PCK, and what trembles, both by torso diameters. Of each classical filter it takes the width with the highest PCK@0.05
on these very films. MediaPipe and posedata need other versions of numpy: neither is imported where the other is.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, RATE = 640, 480, 30
NOISE = 6.0
"""Standard deviation of what is added to every pixel, of 255."""

Floats = NDArray[np.float64]


def movement(frame: int, width: int, height: int) -> Floats:
    """(2, 3) from the photograph to the film: it sways, turns by 4 degrees and comes nearer by a quarter."""
    turns = 2 * np.pi * frame
    scale = min(WIDTH / width, HEIGHT / height) * (1 + 0.25 * np.sin(turns / 75))
    found = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * np.sin(turns / 60), scale)
    found[:, 2] += (WIDTH - width) / 2 + 25 * np.sin(turns / 50), (HEIGHT - height) / 2 + 15 * np.cos(turns / 40)
    return np.asarray(found)


def frames(path: Path, count: int) -> Iterator[NDArray[np.uint8]]:
    """Those of a film of a photograph, RGB; the light changes and the sensor is noisy."""
    photograph, rng = cv2.imread(str(path)), np.random.default_rng(0)
    if photograph is None:
        raise SystemExit(f"{path}: expected a photograph")
    for frame in range(count):
        where = movement(frame, photograph.shape[1], photograph.shape[0])
        seen = cv2.warpAffine(photograph, where, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        light = seen * (1 + 0.1 * np.sin(frame / 7)) + rng.normal(0, NOISE, seen.shape)
        yield np.clip(light, 0, 255).astype(np.uint8)[:, :, ::-1]


def film(photographs: Path, out: Path, count: int) -> None:
    """Write what MediaPipe says of each photograph, as `posetrain predict` reads it."""
    import mediapipe
    from google.protobuf.json_format import MessageToDict

    out.mkdir(parents=True)
    (out / "keypoints.json").write_text(json.dumps({"width": WIDTH, "height": HEIGHT, "fps": RATE}))
    for path in sorted(photographs.rglob("*.jpg")):
        height, width = cv2.imread(str(path)).shape[:2]
        moved = [movement(frame, width, height).tolist() for frame in range(count)]
        (out / f"{path.stem}.moved").write_text(json.dumps(moved))
        for name, single in (("single", True), ("film", False)):
            with mediapipe.solutions.pose.Pose(static_image_mode=single) as pose:
                said = [pose.process(np.ascontiguousarray(pixels)).pose_landmarks for pixels in frames(path, count)]
            lines = [json.dumps(None if each is None else MessageToDict(each)) + "\n" for each in said]
            (out / f"{name}-{path.stem}.jsonl").write_text("".join(lines))


class Film:
    """What MediaPipe said of a film: (T, 25, 2) pixels, NaN = missing or not scored, and how it was moved."""

    def __init__(self, path: Path, keypoints: list[int]) -> None:
        from posedata.skeleton import MEDIAPIPE_33, to_keypoints

        self.path = path
        self.moved = np.asarray(json.loads((path.parent / f"{path.stem.split('-', 1)[1]}.moved").read_text()))
        said = [json.loads(line) for line in path.read_text().splitlines()]
        joints = np.full((len(said), len(MEDIAPIPE_33), 2), np.nan)
        for pose, content in zip(joints, said, strict=True):
            if content:
                pose[:] = [(WIDTH * point["x"], HEIGHT * point["y"]) for point in content["landmark"]]
        self.points = to_keypoints(joints, MEDIAPIPE_33)
        self.points[((self.points < 0) | (self.points > (WIDTH, HEIGHT))).any(axis=-1)] = np.nan
        self.points[:, [place for place in range(self.points.shape[1]) if place not in keypoints]] = np.nan

    def errors(self, points: Floats) -> tuple[Floats, Floats]:
        """(T, 25) distances from where the keypoint is, and (T - 2, 25) what of it trembles, in torso diameters."""
        from posedata.geometry import lengths, torso_diameters

        still = np.linalg.solve(self.moved[:, None, :, :2], (self.points - self.moved[:, None, :, 2])[..., None])[
            ..., 0
        ]
        there = ~np.isnan(still[..., 0]).all(axis=0)
        middle = np.full(still.shape[1:], np.nan)
        middle[there] = np.nanmedian(still[:, there], axis=0)
        off = points - (np.einsum("tij,kj->tki", self.moved[:, :, :2], middle) + self.moved[:, None, :, 2])
        torso = torso_diameters(middle[None]) * np.sqrt(np.linalg.det(self.moved[:, :, :2]))
        off = np.where(np.isnan(self.points), np.nan, off) / torso[:, None, None]
        return lengths(off), lengths(off[2:] - 2 * off[1:-1] + off[:-2])


def score(films: list[Film], refined: Callable[[Film], Floats]) -> dict[str, Any]:
    """Over all keypoints of all films."""
    found = [each.errors(refined(each)) for each in films]
    errors, bends = (np.concatenate([part[~np.isnan(part)] for part in parts]) for parts in zip(*found, strict=True))
    return {
        "pck": [round(100 * float((errors <= share).mean()), 1) for share in (0.05, 0.1, 0.2)],
        "trembles": round(100 * float(bends.mean()), 2),
    }


def model_of(name: str, folder: Path) -> Callable[[Film], Floats]:
    """What a model makes of a film's own file."""
    import torch

    from posetrain.predict.predicting import predict

    def refined(film: Film) -> Floats:
        out = folder / f"{film.path.stem}.npz"
        predict(name, film.path, out, torch.device("cpu"))
        points = np.full_like(film.points, np.nan)
        with np.load(out) as content:
            points[content["frame_number"]] = content["points"]
        return points

    return refined


def filtered(films: list[Film], entry: Any, choice: Any) -> dict[str, Any]:
    """Of a filter with one choice of its parameters."""
    return score(films, lambda film: entry.function(film.points, **choice))


def scores(folder: Path, model: str, kind: str) -> dict[str, Any]:
    """Of films of a kind: as given, by the model, by the best of each filter."""
    from posedata.skeleton import INDEX, PENN_13
    from posetrain.filters import FILTERS

    keypoints = [INDEX[name] for name in PENN_13 if name]
    films = [Film(path, keypoints) for path in sorted(folder.glob(f"{kind}-*.jsonl"))]
    with tempfile.TemporaryDirectory() as out:
        found = {"as given": score(films, lambda film: film.points), model: score(films, model_of(model, Path(out)))}
    for name, entry in FILTERS.items():
        tried = [{**filtered(films, entry, choice), "parameters": dict(choice)} for choice in entry.choices]
        found[name] = max(tried, key=lambda each: each["pck"][0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    work = parser.add_subparsers(dest="work", required=True)
    made = work.add_parser("film")
    made.add_argument("photographs", type=Path)
    made.add_argument("out", type=Path)
    made.add_argument("--frames", type=int, default=90)
    scored = work.add_parser("score")
    scored.add_argument("folder", type=Path)
    scored.add_argument("--model", default="default")
    options = parser.parse_args()
    if options.work == "film":
        film(options.photographs, options.out, options.frames)
        return
    found = {kind: scores(options.folder, options.model, kind) for kind in ("single", "film")}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
