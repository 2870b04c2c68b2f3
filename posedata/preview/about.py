"""What a preview says of itself."""

from dataclasses import dataclass

from posedata.config import k_text
from posedata.store.reader import Store

UNKNOWN_RATE = 25.0
"""Frames a second where the source does not tell."""


@dataclass(frozen=True)
class About:
    """What all frames of a preview share.

    Attributes:
        title: store, whether it is synthetic, noise.
        digest: of the store's content.
        frames: how many are shown.
        sequences: dataset/name of each that frames are shown of, in the order of its first.
        filmed: whether they have backdrops.
        rate: of a film, in frames a second.
    """

    title: str
    digest: str
    frames: int
    sequences: list[str]
    filmed: bool
    rate: float


def title_of(store: Store) -> str:
    """Name of the store, whether it is synthetic, and what its input is."""
    noise = store.attributes["recipe"]["noise"]
    sigmas = ", ".join(f"{sigma:g}" for sigma in store.sigmas)
    given = f"noise k {k_text(noise['k'])}, sigma {sigmas} a {noise['sigma_per']}" if noise else "a detector's input"
    synthetic = "SYNTHETIC data, " if store.attributes["synthetic"] else ""
    return f"{store.path.name}: {synthetic}{given}"
