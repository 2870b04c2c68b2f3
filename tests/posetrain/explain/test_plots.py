import numpy as np
import pytest
from numpy.typing import NDArray

from posetrain.explain.latent import Clustering
from posetrain.explain.plots import scores_svg, silhouettes_svg, variance_svg

LABELS = np.zeros(3, np.int64)


def clusterings(*silhouettes: float) -> list[Clustering]:
    return [Clustering(LABELS, LABELS, each) for each in silhouettes]


def test_figures_name_what_they_show_and_are_the_same_every_time() -> None:
    scores = {"with": np.array([100.0, 50.0, np.nan]), "without": np.array([0.0, 5.0, 10.0])}
    shares = {"hourglass": np.array([0.5, 0.3]), "autoencoder": np.array([0.9, 0.1])}
    for draw, given in (
        (scores_svg, scores),
        (variance_svg, shares),
        (silhouettes_svg, {"all crops": clusterings(0.5, 0.4), "complete crops": clusterings(0.2)}),
    ):
        found = draw(given)  # type: ignore[operator]
        assert found == draw(given)  # type: ignore[operator]
        for name in given:
            assert f">{name}<".encode() in found


@pytest.mark.parametrize("values", [np.array([np.nan]), np.array([])])
def test_no_scores_are_no_error(values: NDArray[np.float64]) -> None:
    assert b"<svg" in scores_svg({"with": values})
