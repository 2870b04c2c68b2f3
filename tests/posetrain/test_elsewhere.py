"""On a device that is not the processor nothing is left behind; a GPU need not be there to find what is."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from elsewhere import no_processor, trained_and_scored

from posedata.progress import silent
from posedata.store.reader import Store
from posetrain.baselines import Span
from posetrain.data import Windows
from posetrain.evaluation import evaluate, identity
from posetrain.models import MODELS, find_model
from posetrain.predict.predicting import predict
from posetrain.refining import WINDOWS
from posetrain.scoring import eval_subject, score
from posetrain.sources import Feed
from posetrain.tasks import HEATMAPS

REFINERS = [name for name in MODELS if find_model(name).kind is WINDOWS]


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    with no_processor(monkeypatch) as found:
        yield found


def test_what_is_left_on_the_processor_is_found(device: torch.device) -> None:
    there, left = torch.ones(2, 3, device=device), torch.ones(2, 3)
    for mix in (lambda: there + left, lambda: there @ left.T, lambda: torch.nn.functional.linear(there, left)):
        with pytest.raises(RuntimeError, match=r"device"):
            mix()
    assert (there + 1).device == device
    assert there.cpu().tolist() == [[0.0] * 3] * 2


@pytest.mark.parametrize("feed", ["render", "store"])
@pytest.mark.parametrize("name", REFINERS)
def test_a_refiner_is_trained_and_scored_there(name: str, feed: Feed, noisy: Store, device: torch.device) -> None:
    figures = trained_and_scored(name, noisy, device, feed)
    assert figures["val_loss"] == 0
    assert figures.keys() == {"val_loss", "val_pck@0.05", "val_pck@0.1", "val_pck@0.2"}


@pytest.mark.parametrize(
    ("what", "span"),
    [("identity", None), ("gaussian", None), ("gaussian", "sequence"), ("default", None), ("default", "sequence")],
)
def test_what_is_compared_is_scored_there(
    what: str, span: Span | None, stores: dict[str, Path], device: torch.device
) -> None:
    subject = eval_subject(what, stores["penn_action"], 5, None, device, span=span)
    assert score(subject, "all", device, "auto", silent)[0].keypoints > 0


def test_a_detectors_heatmaps_are_scored_there(
    detected: Store, windows: Callable[..., Windows], device: torch.device
) -> None:
    assert evaluate(identity, HEATMAPS, windows(detected, "all", device=device)).keypoints > 0


def test_keypoints_and_stores_are_refined_there(stores: dict[str, Path], tmp_path: Path, device: torch.device) -> None:
    points = np.random.default_rng(0).uniform(100, 300, (12, 17, 2))
    np.savez(tmp_path / "in.npz", points=points)
    for given, delay in ((tmp_path / "in.npz", None), (tmp_path / "in.npz", 3), (stores["climbalong"], None)):
        out = tmp_path / f"{given.stem}-{delay}-out.npz"
        predict("default", given, out, device, delay=delay)
        with np.load(out) as found:
            assert len(found["points"]) >= 12
