"""DeciWatch (Zeng et al. 2022): denoise a few sampled frames, then recover the others (1,708,388 parameters).

Works on coordinates, 50 numbers a frame. The seed says that every 5th frame is sampled; with windows of 5 frames that
is read as the first and the last, a step of 4, because the last frame has to be one of the sampled: T - 1 must be
divisible by the step.
"""

import math

import torch
from torch import Tensor, nn

from posedata.errors import ChoiceError
from posedata.skeleton import K

_NUMBERS, _WIDTH, _HEADS, _LAYERS, _FEED_FORWARD, _DROPOUT = 2 * K, 128, 4, 5, 256, 0.1


class DeciWatch(nn.Module):
    """DenoiseNet, an encoder over the sampled frames, and RecoverNet, a decoder over all frames.

    Args:
        window: T, frames in a window.
        step: frames from one sampled frame to the next.

    Raises:
        ChoiceError: if T - 1 is not divisible by the step.
    """

    def __init__(self, window: int, step: int) -> None:
        super().__init__()
        if (window - 1) % step:
            raise ChoiceError(f"--sampling-step {step}: expected a divisor of window - 1 = {window - 1}")
        self.step = step
        self.embed_sampled = nn.Linear(_NUMBERS, _WIDTH)
        encoder = nn.TransformerEncoderLayer(_WIDTH, _HEADS, _FEED_FORWARD, _DROPOUT, batch_first=True)
        self.encoder = nn.TransformerEncoder(encoder, _LAYERS, nn.LayerNorm(_WIDTH), enable_nested_tensor=False)
        self.denoise = nn.Linear(_WIDTH, _NUMBERS)
        self.embed_all = nn.Conv1d(_NUMBERS, _WIDTH, kernel_size=5, padding=2)
        decoder = nn.TransformerDecoderLayer(_WIDTH, _HEADS, _FEED_FORWARD, _DROPOUT, batch_first=True)
        self.decoder = nn.TransformerDecoder(decoder, _LAYERS, nn.LayerNorm(_WIDTH))
        self.recover = nn.Linear(_WIDTH, _NUMBERS)

    def forward(self, points: Tensor) -> Tensor:
        """(B, T, 25, 2) normalised coordinates to the same shape."""
        frames = points.flatten(2)
        sampled = frames[:, :: self.step]
        features = self.encoder(_with_places(self.embed_sampled(sampled)))
        clean = sampled + self.denoise(features)
        rough = nn.functional.interpolate(clean.mT, frames.shape[1], mode="linear", align_corners=True)
        recovered = self.decoder(_with_places(self.embed_all(rough).mT), features)
        found: Tensor = rough.mT + self.recover(recovered)
        return found.view_as(points)


def _with_places(tokens: Tensor) -> Tensor:
    """(B, T, d) with sines and cosines of the position added (seed 004, equations 16 and 17)."""
    count, width = tokens.shape[1:]
    rates = torch.exp(torch.arange(0, width, 2, device=tokens.device) * (-math.log(10000.0) / width))
    angles = torch.arange(count, device=tokens.device)[:, None] * rates
    return tokens + torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
