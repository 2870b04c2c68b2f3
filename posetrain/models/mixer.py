"""Mixer: tracks of points smoothed, then corrected by a network that mixes frames and joints.

A keypoint's place is a mean of its track under several smoothers, weighted by the network, plus a correction. Layers
take turns: over time by a convolution of each channel and by attention, over all joints by a perceptron. Nothing
depends on the number of frames, so windows of any length fit.

Ideas: mixing along one dimension at a time from MLP-Mixer (Tolstikhin et al. 2021, arXiv:2105.01601), convolutions of
single channels between perceptrons from ConvNeXt (Liu et al. 2022, arXiv:2201.03545), attention (Vaswani et al. 2017,
arXiv:1706.03762) that falls with distance from ALiBi (Press et al. 2021, arXiv:2108.12409), the correction of a
smoothed track from DeciWatch (Zeng et al. 2022, arXiv:2203.08713).
"""

import torch
from torch import Tensor, nn

from posedata.skeleton import MIRRORED, K

SMOOTHERS = (0.8, 2.0, 5.0, 12.0)
"""Standard deviations in frames of the Gaussians that smooth the tracks."""

WIDTH = 192
"""Numbers that stand for a frame."""

_LAYERS, _REACH, _EXPANSION = 4, 9, 2
_ASKED = 96
"""Numbers by which frames find each other, of all heads."""

_FAR = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Frames, one a head of attention: over so many its weight falls to 1 / e at first."""

_FEATURES = 2 + 2 * len(SMOOTHERS) + 1
"""Numbers a keypoint: its place, its smoothed places, whether it is there."""

_SHARE = 0.3
"""Of the pose's spread, by which an output of 1 corrects."""

_LEAST_SPREAD, _LEAST_NOISE, _SEEN = 0.02, 1e-3, 1e-6


class Mixer(nn.Module):
    """Works on windows of any length, at any frame rate; takes its measure of noise and size from the window."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: Tensor  # lies where the weights do: a GPU would wait for a constant that is sent to it
        self.register_buffer("widths", torch.tensor(SMOOTHERS), persistent=False)
        self.embed = nn.Linear(K * _FEATURES + 4, WIDTH)
        self.blocks = nn.Sequential(*(block for _ in range(_LAYERS) for block in (_OverTime(), _OverJoints())))
        self.decode = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, K * (2 + len(SMOOTHERS))))

    def forward(self, points: Tensor) -> Tensor:
        """Refine windows.

        In use the answer is the mean of two: that for the window, and that for its mirror image, mirrored back.

        Args:
            points: (B, T, 25 + 2, 2) normalised coordinates, NaN = missing; what the last two are for, see
                `posetrain.models.fitted`.

        Returns:
            (B, T, 25, 2); what stands for a missing keypoint means nothing, but is finite.
        """
        if self.training:
            return self._refined(points)
        found, other = self._refined(torch.cat([points, mirrored(points)])).chunk(2)
        return (found + mirrored(other)) / 2

    def _refined(self, points: Tensor) -> Tensor:
        points, corners = points[:, :, :K], points[:, :, K:]
        present = ~points.isnan().any(dim=-1, keepdim=True)
        places = points.where(present, 0.0)
        smooth, seen = smoothed(places, present, self.widths)
        count = present.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
        rough = smooth[..., -1, :]
        centre = (rough * present).sum(dim=(1, 2), keepdim=True) / count
        spread = ((rough - centre) * present).square().sum(dim=(1, 2, 3), keepdim=True).div(count).sqrt()
        spread = spread.clamp(min=_LEAST_SPREAD)

        relative = (smooth - centre[..., None, :]) / spread[..., None] * seen
        own = (places - centre) / spread * present
        features = torch.cat([own, relative.flatten(3), present], dim=-1).flatten(2)
        whole = torch.cat([centre.flatten(1), spread.flatten(1).log(), noise(places, present).log()], dim=1)
        tokens = self.embed(torch.cat([features, whole[:, None].expand(-1, points.shape[1], -1)], dim=-1))
        found = self._answered(self.blocks(tokens), relative, (corners - centre) / spread, present)
        return found * spread + centre

    def _answered(self, tokens: Tensor, relative: Tensor, corners: Tensor, present: Tensor) -> Tensor:
        """(B, T, 25, 2) places; all is relative to the window's centre and spread. The corners are not looked at."""
        del corners, present
        return self._decoded(tokens, relative)

    def _decoded(self, tokens: Tensor, relative: Tensor) -> Tensor:
        """(B, T, 25, 2): a mean of the (B, T, 25, S, 2) smoothed places, corrected."""
        told = self.decode(tokens).float().unflatten(2, (K, -1))
        found: Tensor = (told[..., 2:].softmax(dim=-1)[..., None] * relative).sum(dim=-2) + _SHARE * told[..., :2]
        return found


def mirrored(points: Tensor) -> Tensor:
    """(B, T, 25 and more, 2) normalised coordinates as in a mirror: left and right keypoints change places."""
    order = [*MIRRORED, *range(len(MIRRORED), points.shape[2])]
    return points[:, :, order] * torch.tensor([-1.0, 1.0], device=points.device)


def smoothed(places: Tensor, present: Tensor, widths: Tensor) -> tuple[Tensor, Tensor]:
    """Gaussian means over the present frames, in float32 always.

    Args:
        places: (B, T, 25, 2), 0 where missing.
        present: (B, T, 25, 1) bool.
        widths: (S,) float32 standard deviations, in frames.

    Returns:
        (B, T, 25, S, 2) means by smoother, 0 where no frame has any weight; and (B, T, 25, S, 1) bool, where one has.
    """
    with torch.autocast(places.device.type, enabled=False):
        frames = torch.arange(places.shape[1], device=places.device, dtype=torch.float32)
        weights = torch.exp(-0.5 * ((frames[:, None] - frames) / widths[:, None, None]).square())
        values = torch.cat([places, present], dim=-1)
        sums = torch.einsum("stu,bukc->btksc", weights, values)
        total, mass = sums[..., :2], sums[..., 2:]
        seen = mass > _SEEN
        return total / mass.clamp(min=_SEEN) * seen, seen


def noise(places: Tensor, present: Tensor) -> Tensor:
    """(B, 1): standard deviation of what white noise would explain second differences, `_LEAST_NOISE` at least."""
    bend = places[:, 2:] - 2 * places[:, 1:-1] + places[:, :-2]
    whole = present[:, 2:] & present[:, 1:-1] & present[:, :-2]
    count = 2 * whole.sum(dim=(1, 2, 3)).clamp(min=1)
    # The variance of a - 2 b + c is six times that of each.
    return ((bend * whole).square().sum(dim=(1, 2, 3)) / (6 * count)).sqrt().clamp(min=_LEAST_NOISE)[:, None]


class _OverTime(nn.Module):
    """Every channel on its own, by the frames next to it, and together by frames that are alike.

    To the convolution what lies outside a window is 0; attention knows no such frames.
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.mix = nn.Conv1d(WIDTH, WIDTH, _REACH, padding=_REACH // 2, groups=WIDTH)
        self.attend = _Attention()

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, d) to the same shape."""
        seen = self.norm(tokens)
        mixed: Tensor = self.mix(seen.mT).mT + self.attend(seen)
        return tokens + mixed


class _Attention(nn.Module):
    """Every frame takes a mean of what all frames tell, by how alike and how near they are."""

    def __init__(self) -> None:
        super().__init__()
        self.ask = nn.Linear(WIDTH, 2 * _ASKED + WIDTH)
        self.tell = nn.Linear(WIDTH, WIDTH)
        self.far = nn.Parameter(torch.tensor(_FAR).log())

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, d) to the same shape."""
        parts = self.ask(tokens).split([_ASKED, _ASKED, WIDTH], dim=2)
        query, key, value = (part.unflatten(2, (len(_FAR), -1)).transpose(1, 2) for part in parts)
        frames = torch.arange(tokens.shape[1], device=tokens.device)
        distances = (frames[:, None] - frames).abs() / self.far.exp()[:, None, None]
        # Written out: on a CPU, at lengths like these, it is some times as fast as torch's own with a mask.
        weights = (query @ key.mT / query.shape[-1] ** 0.5 - distances).softmax(dim=-1)
        mixed: Tensor = self.tell((weights.to(value.dtype) @ value).transpose(1, 2).flatten(2))
        return mixed


class _OverJoints(nn.Module):
    """A perceptron over all that is known of a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(WIDTH),
            nn.Linear(WIDTH, _EXPANSION * WIDTH),
            nn.GELU(),
            nn.Linear(_EXPANSION * WIDTH, WIDTH),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, T, d) to the same shape."""
        mixed: Tensor = self.layers(tokens)
        return tokens + mixed
