"""A sheet of a store of which there is nothing else to see: a PNG to look it over."""

from pathlib import Path

from posedata.errors import ChoiceError
from posedata.files import need_outside, whole_file
from posedata.preview.draw import png
from posedata.shown import Sheet


def write_sheet(sheet: Sheet, path: Path, out: Path, count: int, seed: int, overwrite: bool) -> int:
    """Draw some of a store, from all over it and in its order.

    Args:
        sheet: of its kind.
        path: the store.
        out: file to make, .png.
        count: how many are drawn at most.
        seed: decides which.
        overwrite: whether a file that stands there may be replaced.

    Returns:
        How many are shown.

    Raises:
        BadInputError: if there is no such store.
        ChoiceError: if `out` is no .png, or lies in the store.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if the store is damaged.
    """
    if out.suffix.lower() != ".png":
        raise ChoiceError(f"{out}: expected a name that ends in .png for {sheet.of}, found another")
    need_outside(out, path)
    with whole_file(out, overwrite) as part:
        picture, shown = sheet.draw(path, count, seed)
        part.write_bytes(png(picture))
    return shown
