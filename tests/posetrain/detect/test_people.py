"""A detector of people as transformers saves it: a tiny one of the project's own, with weights by chance."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from posedata.errors import BadInputError
from posetrain.detect.people import PersonDetector

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def silence() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that says `person` of all 5 of its boxes."""
    # It takes seconds to import, so not where tests are collected.
    from transformers import YolosConfig, YolosForObjectDetection, YolosImageProcessorPil

    path = tmp_path_factory.mktemp("people") / "yolos"
    torch.manual_seed(0)
    config = YolosConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=[64, 64],
        patch_size=16,
        num_detection_tokens=5,
        id2label={0: "cat", 1: "person"},
        label2id={"cat": 0, "person": 1},
    )
    model = YolosForObjectDetection(config)
    with torch.no_grad():
        model.vit.embeddings.detection_tokens.normal_()
        model.class_labels_classifier.layers[-1].bias[:] = torch.tensor([0.0, 3.0, 0.0])
    model.save_pretrained(path)
    YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96}).save_pretrained(path)
    return path


def pictures(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (count, 48, 80, 3), np.uint8))


def test_people_are_found_in_pixels_of_the_picture(folder: Path) -> None:
    detector = PersonDetector(folder, 0.5, CPU)
    found = detector.find(pictures(3))
    assert [boxes.shape for boxes in found] == [(5, 4)] * 3
    for boxes in found:
        assert (boxes[:, 2:] > 0).all()
        assert (boxes[:, :2] >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] <= (80, 48)).all()
    np.testing.assert_allclose(detector.find(pictures(1))[0], found[0], atol=1e-3)


def test_boxes_are_those_that_transformers_says(folder: Path) -> None:
    from transformers import AutoImageProcessor, AutoModelForObjectDetection

    model = AutoModelForObjectDetection.from_pretrained(folder).eval()
    processor: Any = AutoImageProcessor.from_pretrained(folder)
    with torch.inference_mode():
        said = model(**processor(images=pictures(1), return_tensors="pt"))
    (expected,) = processor.post_process_object_detection(said, threshold=0.5, target_sizes=[(48, 80)])
    order = (-expected["scores"]).argsort(stable=True)
    corners = expected["boxes"][order].clamp(min=0).minimum(torch.tensor([80.0, 48, 80, 48])).numpy()
    (found,) = PersonDetector(folder, 0.5, CPU).find(pictures(1))
    np.testing.assert_allclose(np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], axis=1), corners, atol=1e-3)


def test_a_detector_of_16_bits_is_widened(folder: Path, tmp_path: Path) -> None:
    from transformers import YolosForObjectDetection

    half = shutil.copytree(folder, tmp_path / "half")
    YolosForObjectDetection.from_pretrained(folder, dtype=torch.float16).save_pretrained(half)
    (found,), (exact,) = (PersonDetector(place, 0.5, CPU).find(pictures(1)) for place in (half, folder))
    assert found.shape == exact.shape == (5, 4)


def test_the_score_and_the_label_decide(folder: Path, tmp_path: Path) -> None:
    assert [len(boxes) for boxes in PersonDetector(folder, 0.999, CPU).find(pictures(2))] == [0, 0]
    cats = shutil.copytree(folder, tmp_path / "cats")
    text = (cats / "config.json").read_text()
    (cats / "config.json").write_text(text.replace('"person"', '"dog"').replace('"cat"', '"person"'))
    assert [len(boxes) for boxes in PersonDetector(cats, 0.5, CPU).find(pictures(2))] == [0, 0]


def test_of_several_labels_people_alone_count_and_lie_in_the_picture(folder: Path) -> None:
    found = {
        "boxes": torch.tensor([[10.0, 10, 30, 40], [1, 2, 3, 4], [-5, 20, 20, 60], [90, 0, 99, 9]]),
        "scores": torch.tensor([0.8, 0.99, 0.9, 0.7]),
        "labels": torch.tensor([1, 0, 1, 1]),
    }
    boxes = PersonDetector(folder, 0.5, CPU)._boxes(found, (48, 80))
    assert boxes.tolist() == [[0, 20, 20, 28], [10, 10, 20, 30]]


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        ("nothing there", "expected the folder of an object detector, found none"),
        ("no model", "expected an object detector and its image processor as transformers saves them, found"),
        ("no weights", "expected an object detector and its image processor as transformers saves them, found"),
        ("cut weights", "expected an object detector and its image processor as transformers saves them, found"),
        ("no processor", "expected an object detector and its image processor as transformers saves them, found"),
        ("no people", "labels: expected person among them, found cat, dog; use another model"),
        ("another head", "expected an object detector and its image processor .*, found no weights of bbox_predictor"),
        ("other shapes", "expected an object detector and its image processor as transformers saves them, found"),
        ("a pickle", "expected an object detector and its image processor as transformers saves them, found"),
    ],
)
def test_what_is_no_such_detector_is_told(damage: str, fault: str, folder: Path, tmp_path: Path) -> None:
    from transformers import YolosForObjectDetection

    place = tmp_path / "yolos"
    if damage != "nothing there":
        shutil.copytree(folder, place)
    weights = place / "model.safetensors"
    if damage == "no model":
        (place / "config.json").write_text('{"model_type": "bert"}')
    elif damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "no processor":
        (place / "preprocessor_config.json").unlink()
    elif damage == "no people":
        text = (place / "config.json").read_text()
        (place / "config.json").write_text(text.replace('"person"', '"dog"'))
    elif damage == "another head":
        kept = {name: value for name, value in load_file(weights).items() if "bbox_predictor" not in name}
        save_file(kept, weights, {"format": "pt"})
    elif damage == "other shapes":
        grown = {name: torch.cat([value, value]) for name, value in load_file(weights).items()}
        save_file(grown, weights, {"format": "pt"})
    elif damage == "a pickle":
        torch.save(YolosForObjectDetection.from_pretrained(folder).state_dict(), place / "pytorch_model.bin")
        weights.unlink()
    with pytest.raises(BadInputError, match=f"yolos: {fault}"):
        PersonDetector(place, 0.5, CPU)
