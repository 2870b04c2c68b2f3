"""Between the grids of frames and the image that they lie in.

Boxes move from frame to frame, and with them all that lies on their grids; in the image a person moves smoothly.
Places are seen from the middle of a window's boxes, in units of their mean side, so a window is the same wherever and
however large a person stands.
"""

from torch import Tensor

from posedata.geometry import GRID


def in_image(grid: Tensor, boxes: Tensor) -> Tensor:
    """Grid positions as places in the image.

    Args:
        grid: (B, T, 25, 2) grid positions, NaN = missing.
        boxes: (B, T, 4) pixels, x0 y0 x1 y1, NaN = none; of the same type as `grid`.

    Returns:
        (B, T, 25, 2) sides from the middle of the window's boxes, NaN where `grid` or the frame's box is.
    """
    low, extent = _boxes(boxes)
    middle, unit = _window(low, extent)
    return (grid / GRID * extent + low - middle) / unit


def on_grid(places: Tensor, boxes: Tensor) -> Tensor:
    """The inverse of `in_image`, of the same shapes; NaN in a frame without a box."""
    low, extent = _boxes(boxes)
    middle, unit = _window(low, extent)
    return (places * unit + middle - low) / extent * GRID


def _boxes(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T, 1, 2) low corners and extents."""
    low, high = boxes[:, :, None, :2], boxes[:, :, None, 2:]
    return low, high - low


def _window(low: Tensor, extent: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 1, 1, 2) mean of the middles, and (B, 1, 1, 1) of the sides, over the frames that have a box."""
    middle = (low + extent / 2).nanmean(dim=1, keepdim=True)
    return middle, extent.nanmean(dim=1, keepdim=True).mean(dim=-1, keepdim=True)
