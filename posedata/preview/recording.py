"""A recording for the Rerun viewer, https://rerun.io: an entity a sequence, over frame numbers and seconds.

    DATASET/NAME/frame                     what it is, and the missing joints by name
    DATASET/NAME/{target,input}/heatmaps   `fused`, and below `joints` one a joint, hidden at first
    DATASET/NAME/{target,input}/skeleton   `points` and `limbs`, on the store's grid
    DATASET/NAME/film                      a backdrop, and below it both skeletons

Nothing in it tells when it was written: the same frames give a recording of the same content.
"""

import io
import math
import os
from collections.abc import Iterator
from pathlib import Path

# The SDK looks here once, when it is imported. What it would say of a fault, it raises as well.
os.environ.setdefault("RUST_LOG", "off")

import numpy as np
import rerun as rr
from PIL import Image
from rerun import blueprint as rrb
from rerun.chunk import RrdReader

from posedata.errors import ResourceError
from posedata.geometry import GRID, to_pixels
from posedata.preview.about import About
from posedata.preview.colours import GROUND, KEYPOINT_COLOURS, LIMB_COLOURS, PEAK, lighter
from posedata.preview.scenes import Backdrop, Floats, Halves, Scene, fused
from posedata.skeleton import KEYPOINTS, LIMBS, K

Entities = Iterator[tuple[str, rr.AsComponents]]

KINDS = ("target", "input")
"""Skeletons by class number."""

_POINTS, _LINES = (4.0, 2.5), (1.5, 0.75)
"""Radii of both on the screen: the input is the lighter one."""

_QUALITY = 85


def write_rrd(path: Path, scenes: Iterator[Scene], about: About) -> None:
    """A recording in a file, with the arrangement of its views.

    Raises:
        ResourceError: if it is not whole: the SDK does not say why.
    """
    try:
        stream = new_stream(about)
        stream.save(path)
        log_scenes(stream, scenes, about)
        stream.flush()
        stream.disconnect()
        RrdReader(path).store()  # a file without its end has none
    except RuntimeError as error:
        what = f"expected a whole recording, found it cut ({error})"
        raise ResourceError(f"{path.name}: {what}; free some space on the disk and run the command again") from error


def new_stream(about: About) -> rr.RecordingStream:
    """A stream into nowhere yet. Recordings of one store have one id: the viewer lays them together."""
    stream = rr.RecordingStream("posedata", recording_id=about.digest, send_properties=False)
    stream.set_log_time_enabled(False)
    stream.set_log_tick_enabled(False)
    return stream


def log_scenes(stream: rr.RecordingStream, scenes: Iterator[Scene], about: About) -> None:
    """Log frames, their names and colours, and how the viewer is to show them."""
    stream.send_recording_name(about.title)
    stream.send_blueprint(blueprint(about))
    stream.log("/", annotations(), static=True, strict=True)
    for scene in scenes:
        stream.reset_time()
        stream.set_time("frame", sequence=scene.number)
        if math.isfinite(scene.seconds):
            stream.set_time("seconds", duration=scene.seconds)
        for path, what in entities(scene):
            stream.log(path, what, strict=True)


def root(sequence: str) -> str:
    """The entity of a sequence."""
    return rr.new_entity_path([*sequence.split("/")])


def entities(scene: Scene) -> Entities:
    """Everything of a frame. What is missing is logged as empty, or the viewer would show what was before."""
    top = root(scene.sequence)
    yield f"{top}/frame", rr.TextDocument(description(scene))
    for number, (points, heatmaps) in enumerate(_both(scene)):
        yield from _heatmaps(f"{top}/{KINDS[number]}/heatmaps", heatmaps)
        yield from _skeleton(f"{top}/{KINDS[number]}/skeleton", points, number, named=number == 0)
    if scene.backdrop is not None:
        yield from _film(f"{top}/film", scene, scene.backdrop)


def description(scene: Scene) -> str:
    """Source and number of a frame, and what is missing in it."""
    absent = [name for name, place in zip(KEYPOINTS, scene.target, strict=True) if np.isnan(place).any()]
    missing = "all" if len(absent) == K else ", ".join(absent) or "none"
    return f"frame {scene.number} of {scene.sequence}, {scene.split}\nmissing: {missing}"


def annotations() -> rr.AnnotationContext:
    """Names and colours of the keypoints: class 0 is the target, class 1 the input."""
    colours = (KEYPOINT_COLOURS, [lighter(colour) for colour in KEYPOINT_COLOURS])
    return rr.AnnotationContext(
        [
            rr.ClassDescription(
                info=rr.AnnotationInfo(id=number, label=kind),
                keypoint_annotations=[
                    rr.AnnotationInfo(id=k, label=name, color=colours[number][k]) for k, name in enumerate(KEYPOINTS)
                ],
            )
            for number, kind in enumerate(KINDS)
        ]
    )


def blueprint(about: About) -> rrb.Blueprint:
    """The views: a tab a sequence."""
    tabs = [_views(sequence, about.filmed) for sequence in about.sequences]
    # Of many sequences each has one frame: at the end of time all have begun.
    time = rrb.TimePanel(timeline="frame", play_state="following" if len(tabs) > 1 else None, fps=about.rate)
    return rrb.Blueprint(rrb.Tabs(*tabs) if len(tabs) > 1 else tabs[0], time, auto_views=False)


def _views(sequence: str, filmed: bool) -> rrb.Vertical:
    top = root(sequence)
    bounds = rrb.VisualBounds2D(x_range=[0, GRID], y_range=[0, GRID])
    hidden = rrb.EntityBehavior(visible=False)
    target = rrb.Spatial2DView(
        origin=f"{top}/target",
        name="target",
        visual_bounds=bounds,
        overrides={f"{top}/target/heatmaps/joints": hidden},
    )
    seen = rrb.Spatial2DView(
        origin=f"{top}/input",
        name="input (light) over target",
        contents=[f"{top}/target/skeleton/**", "$origin/**"],
        visual_bounds=bounds,
        overrides={
            f"{top}/input/heatmaps/joints": hidden,
            f"{top}/target/skeleton/points": rr.Points2D.from_fields(show_labels=False),
        },
    )
    film = [rrb.Spatial2DView(origin=f"{top}/film", name="film")] if filmed else []
    words = rrb.TextDocumentView(origin=f"{top}/frame", name="frame")
    return rrb.Vertical(rrb.Horizontal(target, seen, *film), words, row_shares=[6, 1], name=sequence)


def _both(scene: Scene) -> tuple[tuple[Floats, Halves], tuple[Floats, Halves]]:
    return (scene.target, scene.target_heatmaps), (scene.peaks, scene.input_heatmaps)


def _heatmaps(path: str, heatmaps: Halves) -> Entities:
    yield f"{path}/fused", _grey(fused(heatmaps))
    for k, name in enumerate(KEYPOINTS):
        yield f"{path}/joints/{name}", _grey(fused(heatmaps[k : k + 1]))


def _grey(heat: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> rr.EncodedImage:
    """As a PNG, as bright as on a sheet: raw, the heatmaps of a frame would take 160 kB."""
    levels = np.rint(GROUND[0] + heat * (PEAK[0] - GROUND[0])).astype(np.uint8)
    return _encoded(Image.fromarray(levels), "png")


def _encoded(picture: Image.Image, kind: str) -> rr.EncodedImage:
    file = io.BytesIO()
    picture.save(file, kind, quality=_QUALITY)
    return rr.EncodedImage(contents=file.getvalue(), media_type=f"image/{kind}")


def _skeleton(path: str, points: Floats, number: int, named: bool = False) -> Entities:
    """Its points and limbs, in the colours of a class; names stand beside the points, or show under the mouse only."""
    there = ~np.isnan(points[:, 0])
    kept = np.flatnonzero(there)
    radius = rr.Radius.ui_points(_POINTS[number])
    yield (
        f"{path}/points",
        rr.Points2D(points[kept], class_ids=number, keypoint_ids=kept, radii=radius, show_labels=named),
    )
    limbs = [n for n, (a, b) in enumerate(LIMBS) if there[a] and there[b]]
    shades = [lighter(LIMB_COLOURS[n]) if number else LIMB_COLOURS[n] for n in limbs]
    strips = [points[list(LIMBS[n])] for n in limbs]
    yield f"{path}/limbs", rr.LineStrips2D(strips, colors=shades, radii=rr.Radius.ui_points(_LINES[number]))


def _film(path: str, scene: Scene, backdrop: Backdrop) -> Entities:
    yield path, _encoded(Image.fromarray(backdrop.picture), "jpeg")
    for number, (points, _) in enumerate(_both(scene)):
        yield from _skeleton(f"{path}/{KINDS[number]}", to_pixels(points[None], backdrop.box[None])[0], number)
