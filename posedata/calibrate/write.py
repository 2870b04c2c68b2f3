"""From a store or raw tree to a report, a noise file and a picture."""

from pathlib import Path
from typing import Any

from posedata.calibrate.calibration import calibrate, measure, report
from posedata.calibrate.source import find_source
from posedata.errors import ChoiceError
from posedata.files import need_free, need_outside, whole_file
from posedata.noisefile import write_noise
from posedata.progress import Progress

ENDINGS = (".png", ".svg")


def write_calibration(
    given: Path | str, split: str, out: Path | None, picture: Path | None, overwrite: bool, progress: Progress
) -> dict[str, Any]:
    """Measure the noise of a detector.

    Args:
        given: store, by path, name or URL; or a raw tree.
        split: of a store, whose frames are measured; "all" = every frame.
        out: noise file to make, if any.
        picture: .png or .svg to make, if any.
        overwrite: whether files that stand there may be replaced.
        progress: told of the frames.

    Returns:
        The report: see `calibration.report`; `noise_file` and `plot` are the files made, or None.

    Raises:
        BadInputError: if there is nothing to measure, or too little; if raw data is faulty.
        ChoiceError: if the ending of the picture is none of these, or a file would lie in what is measured.
        ConflictError: if a file may not be replaced.
        IntegrityError: if the store is damaged.
    """
    if picture is not None and picture.suffix.lower() not in ENDINGS:
        ending = picture.suffix or "no ending"
        raise ChoiceError(f"{picture}: expected a name that ends in {', '.join(ENDINGS)}, found {ending}")
    source = find_source(given, split)
    for file in filter(None, (out, picture)):
        need_outside(file, source.path)
        need_free(file, overwrite)
    if picture is not None:
        from posedata.calibrate.plot import draw  # a package that is missing is told before the work
    found = calibrate(measure(source, progress))
    told = report(source, split, found)
    if out is not None:
        write_noise(out, found.noise, told | {"source": source.path.name}, overwrite)
    if picture is not None:
        with whole_file(picture, overwrite) as part:
            draw(part, found, source.path.name)
    return told | {"noise_file": out and str(out), "plot": picture and str(picture)}
