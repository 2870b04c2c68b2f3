"""Write `input/NAME.npz` of ClimbAlong's layout frame by frame; see `posedata.formats.climbalong`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from posedata.geometry import GRID
from posedata.skeleton import K

Maps = NDArray[np.float32]

Add = Callable[[int, Maps], None]
"""Called with the number of a frame, rising, and its (25, 56, 56) heatmaps."""

_FRAME = (K, GRID, GRID)


@contextmanager
def detections(path: Path, boxes: NDArray[np.float32]) -> Iterator[Add]:
    """An .npz of `bboxes` and `heatmaps`, both float32, to which frames are added one by one.

    A frame that is passed over has heatmaps of zeros. Its box is to have no area: so the layout says that the detector
    found nobody. The same frames give the same bytes.

    Args:
        path: of the file.
        boxes: (T, 4) of all frames, x0 y0 x1 y1 in pixels.
    """
    with ZipFile(path, "w") as archive:
        with archive.open(_member("bboxes"), "w") as member:
            npy.write_array(member, boxes, version=(1, 0), allow_pickle=False)
        # A film of an hour has more than the 4 GiB that a plain member may have.
        with archive.open(_member("heatmaps"), "w", force_zip64=True) as member:
            shape = (len(boxes), *_FRAME)
            npy.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": shape})
            nobody, done = np.zeros(_FRAME, "<f4").tobytes(), 0

            def pass_to(frame: int) -> None:
                nonlocal done
                while done < frame:
                    member.write(nobody)
                    done += 1

            def add(frame: int, heatmaps: Maps) -> None:
                nonlocal done
                pass_to(frame)
                member.write(np.ascontiguousarray(heatmaps, "<f4").tobytes())
                done += 1

            yield add
            pass_to(len(boxes))


def _member(name: str) -> ZipInfo:
    """Without the time of day."""
    info = ZipInfo(f"{name}.npy")
    info.compress_type = ZIP_DEFLATED
    return info
