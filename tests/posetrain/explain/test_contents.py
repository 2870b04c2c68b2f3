from dataclasses import replace

import numpy as np
import pytest

from posedata.crops.store import CropStore
from posetrain.explain.contents import WITH, WITHOUT, page_of
from posetrain.explain.examine import Examined
from posetrain.explain.page import Page, figures, html


def page(crops: CropStore) -> Page:
    """Of the crops that train: right with skip connections, and wrong without in a few keypoints."""
    positions = crops.positions("train")
    points = np.nan_to_num(crops.frames("points", positions).astype(np.float64), nan=32.0)
    bare = points.copy()
    bare[0, :3] += 20.0
    bare[1, 4] += 20.0
    draws = np.random.default_rng(0).normal(size=(len(positions), 12)).astype(np.float32)
    seen = Examined(points, bare, {"hourglass": draws, "autoencoder": draws[:, :4]})
    return page_of("mine", 3, "train", crops, positions, seen, 0)


@pytest.fixture(scope="module")
def made(crops: CropStore) -> Page:
    return page(crops)


def test_pck_is_counted_over_labelled_keypoints(crops: CropStore, made: Page) -> None:
    labelled = crops.frames("visibility", crops.positions("train")) > 0
    lost = labelled[0, :3].sum() + labelled[1, 4]
    assert made.pck[WITH] == [100.0] * 18
    assert made.pck[WITHOUT][0] == pytest.approx(100 * (1 - lost / labelled.sum()))
    nose = labelled[:, 0].sum()
    assert made.pck[WITHOUT][1] == pytest.approx(100 * (nose - labelled[0, 0]) / nose)
    assert (made.samples, made.complete) == (len(labelled), int(labelled.all(axis=1).sum()))


def test_every_part_of_the_page_is_there(made: Page) -> None:
    text = html(made)
    for words in ("with skip connections", "Principal components", "crops with all keypoints: K ="):
        assert words in text
    assert text.count("data:image/png;base64,") == 2 + 2 * len(made.groups)
    assert text.count("<svg") == 3
    assert "http" not in text.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    ).replace("https://matplotlib.org", "")


def test_one_component_is_one(made: Page) -> None:
    text = html(replace(made, needed={"hourglass": 2, "autoencoder": 1}))
    assert "hourglass: 2 components explain 95 % of the variance." in text
    assert "autoencoder: 1 component explains 95 % of the variance." in text


def test_figures_are_those_of_the_page(made: Page) -> None:
    told = figures(made)
    assert told["pck"][WITH][0] == 100.0
    assert set(told["needed"]) == {"hourglass", "autoencoder"}
    assert told["needed"]["autoencoder"] <= 4
    assert [sum(one["sizes"]) for one in told["clusters"]] == [made.samples, made.complete]


def test_of_too_few_crops_the_page_says_so(crops: CropStore) -> None:
    positions = crops.positions("train")[:2]
    seen = Examined(np.zeros((2, 17, 2)), np.zeros((2, 17, 2)), {"hourglass": np.eye(2, 5, dtype=np.float32)})
    made = page_of("mine", 1, "train", crops, positions, seen, 0)
    assert made.clearest is None
    assert not made.groups
    text = html(made)
    assert "Too few crops have all of their keypoints" in text
    assert "Too few crops for any cluster" in text
