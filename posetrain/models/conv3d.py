"""Conv3D: one 3-D convolution over time and space (seed 000, section 1.2.3; 78,150 parameters)."""

from torch import Tensor, nn

from posedata.skeleton import K


class Conv3D(nn.Module):
    """Keypoints are channels, frames are depth: 25 -> 25, kernel 5 x 5 x 5, same size, ReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(K, K, kernel_size=5, padding=2)

    def forward(self, heatmaps: Tensor) -> Tensor:
        """(B, T, 25, 56, 56) to the same shape; never negative."""
        refined: Tensor = self.convolution(heatmaps.transpose(1, 2)).relu()
        return refined.transpose(1, 2)
