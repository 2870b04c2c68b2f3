"""ResNet-50 on every frame of a clip, an LSTM over them, 3-D joints out (seed 003, section 2)."""

from typing import Any

import torch
from torch import Tensor, nn

from posedata.errors import BadInputError

JOINTS = 17
_CHANNELS, _CELLS, _NARROW, _UNITS = 2048, 49, 128, 256


class ResNetLstm(nn.Module):
    """Clips of 224 x 224 pixels to joints.

    The 2,048 channels of every position of the 7 x 7 map are narrowed to 128 without a ReLU: the seed's text has one,
    its code, which made its figures, has none.

    Args:
        backbone: folder of pretrained weights as `transformers` saves a ResNet-50; None = fresh ones.
        frozen: whether the backbone stays as it is, the means of its batch norms too.

    Raises:
        BadInputError: if there is no ResNet-50 in that folder, or it is damaged or lacks weights.
    """

    def __init__(self, backbone: str | None = None, frozen: bool = False) -> None:
        super().__init__()
        self.frozen = frozen
        self.backbone = _resnet(backbone).requires_grad_(not frozen)
        self.narrow = nn.Linear(_CHANNELS, _NARROW)
        self.lstm = nn.LSTM(_CELLS * _NARROW, _UNITS, batch_first=True)
        self.joints = nn.Linear(_UNITS, 3 * JOINTS)

    def train(self, mode: bool = True) -> "ResNetLstm":
        """As of any module, but a frozen backbone is never in training."""
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def forward(self, clips: Tensor) -> Tensor:
        """3-D joints of clips.

        Args:
            clips: (B, T, 3, 224, 224) float32 RGB, 0 to 1.

        Returns:
            (B, T, 17, 3) metres.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            maps = self.backbone(clips.flatten(0, 1)).last_hidden_state
        positions = self.narrow(maps.flatten(2).mT).flatten(1)
        told, _ = self.lstm(positions.unflatten(0, clips.shape[:2]))
        found: Tensor = self.joints(told).unflatten(2, (JOINTS, 3))
        return found


def _resnet(folder: str | None) -> nn.Module:
    from safetensors import SafetensorError
    from transformers import ResNetConfig, ResNetModel
    from transformers.utils import logging

    usual = ResNetConfig()  # 50 layers
    if folder is None:
        return ResNetModel(usual)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        both: Any = ResNetModel.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (LookupError, OSError, RuntimeError, SafetensorError, ValueError) as error:
        told = " ".join(str(error).split())
        raise BadInputError(f"{folder}: expected a folder with a pretrained ResNet-50, found {told:.200}") from error
    found, loaded = both
    shapes = [[tuple(p.shape) for p in model.parameters()] for model in (found, ResNetModel(usual))]
    if shapes[0] != shapes[1]:
        raise BadInputError(f"{folder}: expected a ResNet-50, found another ResNet")
    # They would be random. A counter of batches is none, and not in every file.
    if lacking := sorted(name for name in loaded["missing_keys"] if not name.endswith("num_batches_tracked")):
        wanted = "expected all weights of a ResNet-50 as transformers names them"
        raise BadInputError(f"{folder}: {wanted}, found {len(lacking)} missing, as {lacking[0]}")
    model: nn.Module = found.float()  # what has 16 bits is read as it was saved
    return model
