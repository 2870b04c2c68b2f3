"""Find people on frames, by an object detector as `transformers` saves one. Nothing is ever downloaded."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posetrain.detect.boxes import Floats

PERSON = "person"
"""The label that counts."""

SCORE = 0.7
"""The score that a box has at least, where the user does not say."""


class PersonDetector:
    """An object detector that knows people.

    Args:
        folder: where `save_pretrained` of `transformers` has put the model and its image processor.
        score: from 0 to 1, below which a box does not count.
        device: where it runs.

    Raises:
        BadInputError: if there is no such detector, or it does not know people.
        ModuleNotFoundError: if `transformers` is not installed.
    """

    def __init__(self, folder: Path, score: float, device: torch.device) -> None:
        from safetensors import SafetensorError
        from transformers import AutoImageProcessor, AutoModelForObjectDetection
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        if not folder.is_dir():
            raise BadInputError(f"{folder}: expected the folder of an object detector, found none")
        try:
            self._processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)  # type: ignore[no-untyped-call]
            model, loaded = AutoModelForObjectDetection.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
        # ImportError: of a package that this one model needs.
        except (ImportError, LookupError, OSError, RuntimeError, SafetensorError, ValueError) as error:
            raise _no_detector(folder, " ".join(str(error).split())) from error
        if lacking := sorted(loaded["missing_keys"]):  # it would guess them
            raise _no_detector(folder, f"no weights of {', '.join(lacking)}")
        labels = {str(name).lower(): number for number, name in model.config.id2label.items()}
        if PERSON not in labels:
            known = ", ".join(sorted(labels))
            raise BadInputError(
                f"{folder}: labels: expected {PERSON} among them, found {known:.100}; use another model"
            )
        self._person = labels[PERSON]
        self._model = model.float().to(device).eval()  # what has 16 bits is read as it was saved
        self._score, self._device = score, device

    @torch.inference_mode()
    def find(self, pictures: list[NDArray[np.uint8]]) -> list[Floats]:
        """People on frames.

        Args:
            pictures: (h, w, 3) RGB, all of one size.

        Returns:
            For each (n, 4) boxes, x, y, width, height in pixels, that lie in the frame; the surest first.
        """
        size = pictures[0].shape[:2]
        given = self._processor(images=pictures, return_tensors="pt", input_data_format="channels_last")
        said = self._model(**given.to(self._device))
        found = self._processor.post_process_object_detection(
            said, threshold=self._score, target_sizes=[size] * len(pictures)
        )
        return [self._boxes(one, size) for one in found]

    def _boxes(self, found: dict[str, torch.Tensor], size: tuple[int, ...]) -> Floats:
        corners = found["boxes"][found["labels"] == self._person].cpu().double().numpy().reshape(-1, 2, 2)
        scores = found["scores"][found["labels"] == self._person].cpu().double().numpy()
        inside = np.clip(corners, 0, size[::-1])
        boxes = np.concatenate([inside[:, 0], inside[:, 1] - inside[:, 0]], axis=-1)
        order = np.argsort(-scores, kind="stable")
        return np.asarray(boxes[order][(boxes[order, 2:] > 0).all(axis=-1)])


def _no_detector(folder: Path, found: str) -> BadInputError:
    wanted = "expected an object detector and its image processor as transformers saves them"
    return BadInputError(f"{folder}: {wanted}, found {found:.200}")
