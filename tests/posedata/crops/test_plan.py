"""Which photographs test, and the mean colour."""

from pathlib import Path

import numpy as np
import pytest

from posedata.crops.annotations import Image, Person
from posedata.crops.gather import Figure, Picture
from posedata.crops.geometry import Square
from posedata.crops.plan import TEST_SHARE, mean_rgb, split_pictures
from posedata.crops.recipe import CropRecipe
from posedata.crops.tree import ImageSet
from posedata.splits import TEST, TRAIN, VALIDATION

TRAINING = ImageSet("train2017", Path("t.json"), Path("t"), False)
VALIDATING = ImageSet("val2017", Path("v.json"), Path("v"), True)


def pictures(of: ImageSet, people: list[int]) -> list[Picture]:
    """One for each number, with so many people."""
    nothing = np.empty(0)
    figure = Figure(Person(0, 0, nothing, nothing, nothing), Square(0, 0, 1), nothing, nothing, nothing)  # type: ignore[arg-type]
    return [Picture(Image(i, f"{i}.jpg", 9, 9), of, "", (figure,) * count) for i, count in enumerate(people)]


def crops(chosen: list[int], people: list[int], split: int) -> int:
    return sum(count for count, number in zip(people, chosen, strict=True) if number == split)


def test_the_share_of_the_seed() -> None:
    # 5,064 of 124,040 + 5,064, and as many images as people stand on them.
    people = [1] * 129_104
    chosen = split_pictures(pictures(TRAINING, people), CropRecipe(dataset="coco"))
    assert crops(chosen, people, TEST) == 5_064
    assert crops(chosen, people, TRAIN) == 124_040


@pytest.mark.parametrize("seed", range(5))
def test_whole_images_test_and_all_of_val_validates(seed: int) -> None:
    people = [1 + i % 4 for i in range(1000)]
    both = [*pictures(TRAINING, people), *pictures(VALIDATING, [2] * 30)]
    chosen = split_pictures(both, CropRecipe(dataset="coco", seed=seed))
    assert set(chosen[:1000]) == {TRAIN, TEST}
    assert set(chosen[1000:]) == {VALIDATION}
    # A picture is taken as long as some are wanted, so three more people at the most.
    assert 0 <= crops(chosen[:1000], people, TEST) - round(TEST_SHARE * sum(people)) <= 3


def test_the_seed_decides_and_the_order_of_pictures_does_not() -> None:
    some = pictures(TRAINING, [2] * 200)
    one, other = (split_pictures(some, CropRecipe(dataset="coco", seed=seed)) for seed in (0, 1))
    assert one != other
    assert split_pictures(some[::-1], CropRecipe(dataset="coco")) == one[::-1]


def test_a_few_people_all_train() -> None:
    assert split_pictures(pictures(TRAINING, [6, 6]), CropRecipe(dataset="coco")) == [TRAIN, TRAIN]


def test_the_mean_colour_is_exact() -> None:
    sums = [np.asarray([256 * 256 * 10, 0, 256 * 256 * 255]), np.asarray([256 * 256 * 20, 1, 256 * 256 * 255])]
    assert mean_rgb(sums) == [15.0, 1 / (2 * 256 * 256), 255.0]
    assert mean_rgb([]) is None
