from pathlib import Path

import numpy as np
import pytest
import torch

from posedata import open_store
from posedata.errors import BadInputError, ChoiceError, IntegrityError
from posedata.progress import Progress, silent
from posedata.store.reader import Store
from posetrain import checkpoints, scoring
from posetrain.baselines import Baseline, Span, Tracks
from posetrain.config import TrainConfig
from posetrain.data import Windows
from posetrain.evaluation import identity
from posetrain.exported import DEFAULT
from posetrain.trained import SEQUENCE_FRAMES
from posetrain.training import train

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(noisy: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests must not change it."""
    path = tmp_path_factory.mktemp("runs") / "run"
    train(TrainConfig(epochs=3, max_windows=20, batch_size=4), noisy, path, device=CPU)
    return path


@pytest.fixture(scope="module")
def mixer(noisy: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a model for any window; tests must not change it."""
    path = tmp_path_factory.mktemp("runs") / "mixer"
    train(TrainConfig(model="mixer", window=9, epochs=2, max_windows=20, batch_size=4), noisy, path, device=CPU)
    return path


def test_the_best_epoch_of_a_run_is_scored(noisy: Store, run: Path) -> None:
    subject = scoring.eval_subject(str(run), None, None, None, CPU)
    best = max(checkpoints.load_state(run, 3)["history"], key=lambda row: row["val_pck@0.2"])
    assert (subject.model, subject.epoch, subject.window, subject.given) == ("conv3d", best["epoch"], 5, "noisy")
    assert subject.store.path == noisy.path
    scores, chosen = scoring.score(subject, "validation", CPU, "auto", silent)
    assert scores.windows == len(noisy.windows("validation")) <= 20  # training saw all of them too
    assert (scores.loss, scores.pck["0.2"]) == (best["val_loss"], best["val_pck@0.2"])
    assert chosen == {}


def test_all_windows_are_scored_however_many_the_training_saw(noisy: Store, run: Path) -> None:
    windows = scoring.eval_windows(scoring.eval_subject(str(run), None, None, None, CPU), "train", CPU, "auto")
    np.testing.assert_array_equal(windows.starts, noisy.windows("train"))
    assert len(windows) > 20


def test_a_run_without_an_epoch_is_told(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    hot = quick.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(BadInputError, match="loss"):
        train(hot, noisy, tmp_path, device=CPU)
    with pytest.raises(BadInputError, match="finished epoch"):
        scoring.eval_subject(str(tmp_path), None, None, None, CPU)


def test_damaged_weights_are_not_scored(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path, device=CPU)
    (tmp_path / "checkpoints" / "0001" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(IntegrityError, match=r"0001/weights\.safetensors"):
        scoring.eval_subject(str(tmp_path), None, None, None, CPU)


def test_identity_and_empty_splits(noisy: Store) -> None:
    subject = scoring.eval_subject("identity", noisy.path, None, 2, CPU)
    assert (subject.refine, subject.window, subject.frame_step, subject.epoch) == (identity, 5, 2, None)
    with pytest.raises(BadInputError, match="held_out"):
        scoring.eval_windows(subject, "held_out", CPU, "auto")
    with pytest.raises(ChoiceError, match="validation"):
        scoring.eval_windows(subject, "valid", CPU, "auto")


def test_a_filter_is_tuned_on_validation_whatever_is_scored(noisy: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tune, seen = scoring.tune, list[Windows]()

    def tuned(name: str, tracks: Tracks, span: Span, windows: Windows, progress: Progress) -> Baseline:
        seen.append(windows)
        return tune(name, tracks, span, windows, progress)

    monkeypatch.setattr(scoring, "tune", tuned)
    subject = scoring.eval_subject("moving-average", noisy.path, None, None, CPU)
    scores, _ = scoring.score(subject, "test", CPU, "auto", silent)
    np.testing.assert_array_equal(seen[0].starts, noisy.windows("validation"))
    assert scores.windows == len(noisy.windows("test"))


def test_a_span_is_not_for_the_identity(noisy: Store, run: Path) -> None:
    with pytest.raises(ChoiceError, match="--span"):
        scoring.eval_subject("identity", noisy.path, None, None, CPU, "sequence")
    assert scoring.eval_subject("identity", noisy.path, None, None, CPU).span is None
    for what in ("kalman", str(run)):
        assert scoring.eval_subject(what, noisy.path, None, None, CPU).span == "window"


def test_a_run_is_scored_over_sequences_in_windows_of_its_own_length(noisy: Store, run: Path) -> None:
    window, sequence = (scoring.eval_subject(str(run), None, None, None, CPU, span) for span in ("window", "sequence"))  # type: ignore[arg-type]
    assert (sequence.window, sequence.at_once) == (5, 5)
    alone, _ = scoring.score(window, "test", CPU, "auto", silent)
    whole, chosen = scoring.score(sequence, "test", CPU, "auto", silent)
    assert chosen == {"span": "sequence", "parameters": {"frames": 5}}
    assert (whole.windows, whole.keypoints) == (alone.windows, alone.keypoints)
    assert whole.pck != alone.pck


def test_a_mixer_takes_any_window_and_sees_more_of_a_sequence(noisy: Store, mixer: Path) -> None:
    own = scoring.eval_subject(str(mixer), None, None, None, CPU)
    assert (own.window, own.frame_step) == (9, 1)
    for window, step in ((5, 1), (7, 2)):
        subject = scoring.eval_subject(str(mixer), None, window, step, CPU, "sequence")
        assert (subject.window, subject.frame_step, subject.at_once) == (window, step, SEQUENCE_FRAMES)
        scores, _ = scoring.score(subject, "test", CPU, "auto", silent)
        assert scores.windows == len(noisy.windows("test", window, step))


def test_a_run_is_not_scored_on_another_store_of_the_same_name(
    noisy: Store, detected: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path / "run", device=CPU)
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace(str(noisy.path), str(detected.path)))
    with pytest.raises(BadInputError, match="content digest"):
        scoring.eval_subject(str(tmp_path / "run"), None, None, None, CPU)
    chosen = scoring.eval_subject(str(tmp_path / "run"), detected.path, None, None, CPU)
    assert chosen.store.path == detected.path


@pytest.mark.parametrize("span", ["window", "sequence"])
def test_keypoints_that_a_run_was_not_trained_on_are_scored_as_they_are_given(
    noisy: Store, stores: dict[str, Path], quick: TrainConfig, tmp_path: Path, span: Span
) -> None:
    penn = stores["penn_action"]  # has no ears
    train(quick.model_copy(update={"epochs": 1}), open_store(penn), tmp_path / "run", device=CPU)
    subject = scoring.eval_subject(str(tmp_path / "run"), noisy.path, None, None, CPU, span)
    assert subject.not_refined == ("left_ear", "right_ear")
    found, _ = scoring.score(subject, "test", CPU, "auto", silent)
    given, _ = scoring.score(scoring.eval_subject("identity", noisy.path, 5, 1, CPU), "test", CPU, "auto", silent)
    assert found.keypoints == given.keypoints
    changed = {joint for joint, score in found.per_joint.items() if score != given.per_joint[joint]}
    assert "ear" not in changed
    assert {"shoulder", "knee"} <= changed
    assert scoring.eval_subject(str(tmp_path / "run"), penn, None, None, CPU).not_refined == ()
    (tmp_path / "run" / "run.json").write_text(
        (tmp_path / "run" / "run.json").read_text().replace(str(penn), "gone.zarr")
    )
    assert scoring.eval_subject(str(tmp_path / "run"), penn, None, None, CPU).not_refined == ()  # known by its digest
    assert scoring.eval_subject(str(tmp_path / "run"), noisy.path, None, None, CPU).not_refined is None


def test_on_its_own_store_a_run_knows_the_keypoints_of_the_train_split(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path / "run", device=CPU)
    monkeypatch.setattr(scoring, "annotated_in_training", lambda store: np.arange(25) != 0)
    assert scoring.eval_subject(str(tmp_path / "run"), None, None, None, CPU).not_refined == ("nose",)


def test_a_model_that_knows_no_keypoint_of_a_store_is_not_scored(noisy: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scoring.eval_subject(DEFAULT, noisy.path, 5, None, CPU).not_refined == ("left_ear", "right_ear")
    monkeypatch.setattr(scoring, "annotated_in", lambda store: np.arange(25) == 1)
    with pytest.raises(
        BadInputError, match=r"brace\.zarr: expected keypoints .* \(nose, .*\), found left_ear; use another"
    ):
        scoring.eval_subject(DEFAULT, noisy.path, 5, None, CPU)


def test_a_run_has_its_own_window(run: Path) -> None:
    with pytest.raises(ChoiceError, match="--window"):
        scoring.eval_subject(str(run), None, 7, None, CPU)


def test_given_the_clean_target_identity_is_perfect_and_a_run_sees_it(noisy: Store, run: Path) -> None:
    still = scoring.eval_subject("identity", noisy.path, None, None, CPU, given="clean")
    scores, _ = scoring.score(still, "test", CPU, "auto", silent)
    assert set(scores.pck.values()) == {100.0}
    clean, dirty = (scoring.eval_subject(str(run), None, None, None, CPU, given=g) for g in ("clean", "noisy"))
    (batch,) = clean.windows("test", CPU, "auto").batches(np.arange(4), 4)
    assert torch.equal(batch.input, batch.target)
    (batch,) = dirty.windows("test", CPU, "auto").batches(np.arange(4), 4)
    assert not torch.equal(batch.input, batch.target)
