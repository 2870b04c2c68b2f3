import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import interpolate, max_pool2d

from posedata.crops.store import CropStore
from posetrain.crops.data import all_crops
from posetrain.crops.tasks import DETECTION
from posetrain.explain.examine import Examined, examine
from posetrain.models.autoencoder import CodedHourglass
from posetrain.models.hourglass import Hourglass, StackedHourglass

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def seen(crops: CropStore, hourglass: StackedHourglass) -> Examined:
    return examine(hourglass, DETECTION, all_crops(crops, "test", CPU))


def by_hand(model: StackedHourglass, pixels: Tensor, skips: bool) -> tuple[Tensor, Tensor]:
    """Heatmaps, and what the bottleneck says."""
    hourglass = model.hourglasses[0]
    assert isinstance(hourglass, Hourglass)
    features = max_pool2d(model.stem(pixels), 2)
    kept = []
    for skip, down in zip(hourglass.skips, (*hourglass.downs, hourglass.bottleneck), strict=True):
        kept.append(skip(features) if skips else 0.0)
        features = down(max_pool2d(features, 2))
    latent = features
    for skipped, up in zip(reversed(kept), hourglass.ups, strict=True):
        features = up(skipped + interpolate(features, scale_factor=2, mode="nearest"))
    return model.heatmaps[0](model.features[0](features)), latent


def test_it_is_shown_with_and_without_skip_connections(
    crops: CropStore, hourglass: StackedHourglass, seen: Examined
) -> None:
    pixels = torch.from_numpy(crops.centred(crops.positions("test"))).movedim(-1, 1)
    with torch.inference_mode():
        whole, latent = by_hand(hourglass, pixels, skips=True)
        bare, _ = by_hand(hourglass, pixels, skips=False)
    np.testing.assert_array_equal(seen.found, DETECTION.positions(whole[:, None]).numpy())
    np.testing.assert_array_equal(seen.bare, DETECTION.positions(bare[:, None]).numpy())
    assert (seen.found != seen.bare).any()
    assert list(seen.latents) == ["hourglass"]
    assert seen.latents["hourglass"].shape == (len(seen.found), 256 * 4 * 4)
    np.testing.assert_allclose(seen.latents["hourglass"], latent.flatten(1).numpy(), rtol=1e-4, atol=1e-4)


def test_nothing_stays_changed(crops: CropStore, hourglass: StackedHourglass, seen: Examined) -> None:
    pixels = torch.from_numpy(crops.centred(crops.positions("test"))).movedim(-1, 1)
    with torch.inference_mode():
        again = DETECTION.positions(hourglass(pixels))
    np.testing.assert_array_equal(again.numpy(), seen.found)


def test_of_a_coded_hourglass_both_spaces_are_kept(crops: CropStore) -> None:
    torch.manual_seed(0)
    seen = examine(CodedHourglass(256).eval(), DETECTION, all_crops(crops, "test", CPU))
    assert {name: latent.shape[1] for name, latent in seen.latents.items()} == {"autoencoder": 50, "hourglass": 4096}
    assert next(iter(seen.latents)) == "autoencoder"  # it is that which is walked in
