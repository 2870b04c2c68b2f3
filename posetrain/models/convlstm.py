"""Bidirectional convolutional LSTMs (seed 004, section 2.0.1, equations 6 to 13).

Hidden size 25, so that a hidden state is as large as the heatmaps of a frame.
"""

import torch
from torch import Tensor, nn

from posedata.geometry import GRID
from posedata.skeleton import K

_WIDTH = 128


class ConvLSTMCell(nn.Module):
    """One direction over time: 594,000 parameters, zero initial state.

    Each of the three gates and the candidate has its own biased 3 x 3 convolutions, of the input and of the hidden
    state; they run as one. Peepholes and biases are as large as the heatmaps of a frame.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of_input = nn.ModuleList(nn.Conv2d(K, K, 3, padding=1) for _ in range(4))
        self.of_hidden = nn.ModuleList(nn.Conv2d(K, K, 3, padding=1) for _ in range(4))
        self.peepholes = nn.ParameterList(torch.zeros(K, GRID, GRID) for _ in range(3))
        self.biases = nn.ParameterList(torch.zeros(K, GRID, GRID) for _ in range(4))

    def forward(self, heatmaps: Tensor) -> Tensor:
        """(B, T, 25, 56, 56) to the hidden states after each frame, the same shape."""
        seen = _together(self.of_input, heatmaps.flatten(0, 1)) + torch.cat(list(self.biases))
        gates = seen.view(*heatmaps.shape[:2], 4 * K, GRID, GRID)
        hidden = cell = torch.zeros_like(heatmaps[:, 0])
        states = []
        for t in range(heatmaps.shape[1]):
            hidden, cell = self._step(gates[:, t] + _together(self.of_hidden, hidden), cell)
            states.append(hidden)
        return torch.stack(states, dim=1)

    def _step(self, gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        to_input, to_forget, to_candidate, to_output = gates.chunk(4, dim=1)
        input_peephole, forget_peephole, output_peephole = self.peepholes
        admitted = torch.sigmoid(to_input + input_peephole * cell)  # I_t, equations 6 and 9
        kept = torch.sigmoid(to_forget + forget_peephole * cell)  # F_t, equations 7 and 10
        cell = kept * cell + admitted * torch.tanh(to_candidate)  # C_t, equation 11
        shown = torch.sigmoid(to_output + output_peephole * cell)  # O_t, equations 8 and 12: sees the new C_t
        return shown * torch.tanh(cell), cell  # H_t, equation 13


def _together(convolutions: nn.ModuleList, images: Tensor) -> Tensor:
    """The outputs of several convolutions of the same images, stacked along channels."""
    weight = torch.cat([c.get_parameter("weight") for c in convolutions])
    bias = torch.cat([c.get_parameter("bias") for c in convolutions])
    return nn.functional.conv2d(images, weight, bias, padding=1)


def _convolutions(*widths: tuple[int, int, int]) -> nn.Sequential:
    """(channels in, channels out, kernel) each, a ReLU after each."""
    layers: list[nn.Module] = []
    for before, after, kernel in widths:
        layers += [nn.Conv2d(before, after, kernel, padding=kernel // 2), nn.ReLU()]
    return nn.Sequential(*layers)


_SMEAR = ((K, _WIDTH, 3), (_WIDTH, _WIDTH, 3), (_WIDTH, _WIDTH, 3))


class BiConvLSTMSum(nn.Module):
    """Each direction makes heatmaps of its own; they are added (1,875,666 parameters)."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList(ConvLSTMCell() for _ in range(2))
        self.heads = nn.ModuleList(_convolutions(*_SMEAR, (_WIDTH, _WIDTH, 1), (_WIDTH, K, 1)) for _ in range(2))

    def forward(self, heatmaps: Tensor) -> Tensor:
        """(B, T, 25, 56, 56) to the same shape; never negative."""
        forwards, backwards = _both_ways(self.cells, self.heads, heatmaps)
        return forwards + backwards


class BiConvLSTMConcat(nn.Module):
    """The directions are joined before heatmaps are made (1,872,313 parameters)."""

    def __init__(self) -> None:
        super().__init__()
        self.cells = nn.ModuleList(ConvLSTMCell() for _ in range(2))
        self.heads = nn.ModuleList(_convolutions(*_SMEAR) for _ in range(2))
        self.join = _convolutions((2 * _WIDTH, _WIDTH, 1), (_WIDTH, K, 1))

    def forward(self, heatmaps: Tensor) -> Tensor:
        """(B, T, 25, 56, 56) to the same shape; never negative."""
        both = torch.cat(_both_ways(self.cells, self.heads, heatmaps), dim=2)
        joined: Tensor = self.join(both.flatten(0, 1))
        return joined.view_as(heatmaps)


def _both_ways(cells: nn.ModuleList, heads: nn.ModuleList, heatmaps: Tensor) -> list[Tensor]:
    """What either direction says of each frame: two of (B, T, C, 56, 56), in the order of the frames."""
    said = []
    for cell, head, turn in zip(cells, heads, (False, True), strict=True):
        states = cell(heatmaps.flip(1) if turn else heatmaps)
        frames = head(states.flatten(0, 1)).unflatten(0, states.shape[:2])
        said.append(frames.flip(1) if turn else frames)
    return said
