import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posedata import open_store
from posedata.errors import BadInputError, IntegrityError
from posedata.progress import silent
from posetrain import checkpoints, scoring
from posetrain.checkpoints import read_run
from posetrain.config import TrainConfig
from posetrain.data import Windows, split_windows
from posetrain.evaluation import evaluate, identity
from posetrain.filters import FILTERS
from posetrain.report.collect import Block, Trained, curves_of, identity_pck, load_trained, score_all, store_names
from posetrain.sources import Feed
from posetrain.tasks import HEATMAPS
from posetrain.training import train

CPU = torch.device("cpu")
BASELINES = ["identity", *(f"{name}, {span}" for span in ("window", "sequence") for name in FILTERS)]


def names(block: Block) -> list[str]:
    return [row.name for row in block.rows]


def test_held_out_blocks_come_after_the_test_blocks(blocks: list[Block]) -> None:
    assert [(block.store.path.stem, block.split) for block in blocks] == [
        ("penn_action", "test"),
        ("climbalong", "test"),
        ("climbalong", "held_out"),
    ]


@pytest.mark.usefixtures("few")
def test_they_do_whatever_store_comes_first(trained: dict[str, Trained]) -> None:
    made = score_all([trained["tuned"], trained["smooth"]], CPU, "auto", silent)
    assert [(block.store.path.stem, block.split) for block in made] == [
        ("climbalong", "test"),
        ("penn_action", "test"),
        ("climbalong", "held_out"),
    ]


def test_runs_stand_below_all_baselines_of_their_store(blocks: list[Block]) -> None:
    first, second, held_out = (names(block) for block in blocks)
    assert first == [*BASELINES, "smooth", "conv"]
    assert second == held_out == [*BASELINES, "tuned"]


def test_all_rows_of_a_block_were_scored_on_the_same_windows(blocks: list[Block]) -> None:
    for block in blocks:
        expected = len(block.store.windows(block.split))
        for row in block.rows:
            scores, first = row.scores, block.scores
            assert scores.windows == expected == len(scores.window_errors)
            assert (scores.keypoints, scores.frames_scored, scores.frames_unscored) == (
                first.keypoints,
                first.frames_scored,
                first.frames_unscored,
            )
            assert (scores.by_video.counted == first.by_video.counted).all()


@pytest.mark.parametrize(
    ("row", "what", "span"),
    [("identity", "identity", None), ("gaussian, sequence", "gaussian", "sequence"), ("conv", "RUN", None)],
)
def test_a_row_is_what_eval_says(blocks: list[Block], runs: Path, row: str, what: str, span: str | None) -> None:
    block = blocks[0]
    given = str(runs / row) if what == "RUN" else what
    subject = scoring.eval_subject(given, block.store.path, None, None, CPU, span)  # type: ignore[arg-type]
    scores, chosen = scoring.score(subject, "test", CPU, "auto", silent)
    (found,) = (entry for entry in block.rows if entry.name == row)
    assert found.scores == scores
    assert not chosen or found.note == ", ".join(f"{name} {value:g}" for name, value in chosen["parameters"].items())


def test_a_title_tells_store_noise_and_windows(blocks: list[Block]) -> None:
    assert blocks[0].title == (
        "penn_action: SYNTHETIC data, k = 1, sigma 1, 1.5, 2, 2.5, 3; "
        "test split, 16 windows of 5 frames at step 1, 2 videos count"
    )
    assert blocks[2].title.startswith("climbalong: SYNTHETIC data, a detector's input; held-out split, ")


@pytest.mark.usefixtures("few")
def test_runs_are_scored_over_sequences_when_asked(trained: dict[str, Trained]) -> None:
    run = trained["smooth"]
    (block,) = score_all([run], CPU, "auto", silent, sequences=True)
    assert names(block)[-2:] == ["smooth", "smooth, sequence"]
    subject = scoring.eval_subject(str(run.run), None, None, None, CPU, "sequence")
    assert block.rows[-1].scores == scoring.score(subject, "test", CPU, "auto", silent)[0]
    assert block.rows[-1].scores != block.rows[-2].scores


def test_stores_of_one_name_are_told_apart_by_their_digests(stores: dict[str, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(stores["brace"], tmp_path / "penn_action.zarr"))
    opened = [open_store(path) for path in (stores["penn_action"], other, stores["climbalong"], other)]
    digests = [store.manifest.content_digest for store in opened]
    assert store_names(opened) == {
        digests[0]: f"penn_action {digests[0][:8]}",
        digests[1]: f"penn_action {digests[1][:8]}",
        digests[2]: "climbalong",
    }


@pytest.mark.usefixtures("few")
def test_filters_are_left_out_where_nothing_counts_to_choose_them_by(
    trained: dict[str, Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, windows = trained["smooth"], scoring.Subject.windows

    def without_torsos(subject: scoring.Subject, split: str, device: torch.device, feed: Feed) -> Windows:
        found = windows(subject, split, device, feed)
        if split == "validation":
            found.torso = np.full_like(found.torso, np.nan)
        return found

    monkeypatch.setattr(scoring.Subject, "windows", without_torsos)
    (block,) = score_all([run], CPU, "auto", silent)
    assert names(block) == ["identity", "smooth"]
    assert block.rows[0].note == "no filters: nothing counts on validation"


@pytest.mark.usefixtures("few")
def test_what_a_run_hands_through_stands_beside_its_scores(trained: dict[str, Trained]) -> None:
    run = trained["smooth"]
    given = replace(run, subject=replace(run.subject, not_refined=("nose", "left_hip")))
    (block,) = score_all([given], CPU, "auto", silent, sequences=True)
    assert [row.note for row in block.rows[-2:]] == [
        "2 x 2 steps of 4; as given: nose, left_hip",
        "the same weights, 5 frames at once; as given: nose, left_hip",
    ]


@pytest.mark.usefixtures("few")
def test_a_model_for_any_window_stands_beside_those_of_5_frames(trained: dict[str, Trained], tmp_path: Path) -> None:
    config = TrainConfig(model="mixer", window=9, epochs=1, max_windows=4, batch_size=4)
    train(config, trained["smooth"].subject.store, tmp_path / "any", device=CPU)
    runs, _ = load_trained([trained["smooth"].run, tmp_path / "any"], CPU)
    (block,) = score_all(runs, CPU, "auto", silent)
    assert block.window == 5
    assert names(block)[-2:] == ["smooth", "any"]


@pytest.mark.usefixtures("few")
def test_other_windows_make_another_block(trained: dict[str, Trained]) -> None:
    run = trained["smooth"]
    half = replace(run, name="half", subject=replace(run.subject, frame_step=2))
    blocks = score_all([run, half], CPU, "auto", silent)
    assert [(block.frame_step, names(block)[-1]) for block in blocks] == [(1, "smooth"), (2, "half")]
    assert blocks[1].scores.windows == len(run.subject.store.windows("test", 5, 2))


def test_a_run_tells_how_it_was_trained(trained: dict[str, Trained]) -> None:
    assert {name: run.effort for name, run in trained.items()} == {
        "smooth": "2 x 2 steps of 4",
        "conv": "1 x 1 steps of 4",
        "tuned": "2 x 2 steps of 4, finetuned",
    }
    assert replace(trained["conv"], finished=False).effort == "1 x 1 steps of 4, unfinished"
    for most in (None, 1000):
        everything = trained["conv"].config.model_copy(update={"max_windows": most})
        assert replace(trained["conv"], config=everything).effort == "1 x 63 steps of 4"  # of 252 windows


def test_a_run_knows_its_experiment(trained: dict[str, Trained]) -> None:
    half = trained["conv"].config.model_copy(update={"frame_step": 2})
    assert trained["conv"].experiment == "1.1"
    assert replace(trained["conv"], config=half).experiment == "1.3"
    assert trained["tuned"].experiment is None


def test_curves_are_told_apart_by_experiment_or_name(trained: dict[str, Trained]) -> None:
    first, tuned = trained["smooth"], trained["tuned"]
    half = replace(first, config=first.config.model_copy(update={"frame_step": 2}))
    curves = curves_of([first, half, tuned], {first.run: 20.0})
    assert [(curve.row, curve.label) for curve in curves] == [
        ("smoothnet", "1.1"),
        ("smoothnet", "1.3"),
        ("smoothnet, finetuned", "tuned"),
    ]
    assert [curve.baseline for curve in curves] == [20.0, 20.0, None]
    assert curves[0].history == first.history
    alike = curves_of([first, replace(first, name="another seed")], {})
    assert [curve.label for curve in alike] == ["smooth", "another seed"]


def test_runs_without_a_finished_epoch_are_left_out(runs: Path) -> None:
    trained, left_out = load_trained([runs / "begun", runs / "conv"], CPU)
    assert [(run.name, run.finished) for run in trained] == [("conv", True)]
    assert left_out == [runs / "begun"]


def test_an_unfinished_run_counts_as_far_as_it_is(runs: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(runs / "conv", tmp_path / "conv"))
    (run / checkpoints.SUMMARY_NAME).unlink()
    ((found,), _) = load_trained([run], CPU)
    assert (found.finished, len(found.history), found.subject.epoch) == (False, 1, 1)


def test_runs_of_the_same_folder_name_get_distinct_names(runs: Path, tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(runs / "conv", tmp_path / parent / "conv")) for parent in "ab"]
    trained, _ = load_trained([*copies, runs / "smooth"], CPU)
    assert [run.name for run in trained] == ["a/conv", "b/conv", "smooth"]


def test_runs_are_named_by_as_much_of_their_path_as_it_takes(runs: Path, tmp_path: Path) -> None:
    copies = [Path(shutil.copytree(runs / "conv", tmp_path / where)) for where in ("a/s/x", "b/s/x", "identity")]
    trained, _ = load_trained(copies, CPU)
    assert [run.name for run in trained] == ["a/s/x", "b/s/x", f"{tmp_path.name}/identity"]


def flip(run: Path) -> None:
    path = run / "checkpoints" / "0001" / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def other_store(run: Path) -> None:
    info = read_run(run)
    store = info.store.model_copy(update={"content_digest": "0" * 64})
    checkpoints.write_json(run / "run.json", info.model_copy(update={"store": store}).model_dump())


@pytest.mark.parametrize(
    ("harm", "error", "words"),
    [
        (flip, IntegrityError, r"0001/weights\.safetensors"),
        (other_store, BadInputError, "content digest: expected 000"),
    ],
)
def test_a_run_that_is_not_what_it_was_is_refused(
    runs: Path, tmp_path: Path, harm: Callable[[Path], None], error: type[Exception], words: str
) -> None:
    run = Path(shutil.copytree(runs / "conv", tmp_path / "conv"))
    harm(run)
    with pytest.raises(error, match=words):
        load_trained([run], CPU)


def test_the_identity_is_scored_on_each_runs_own_validation_windows(trained: dict[str, Trained]) -> None:
    found = identity_pck(list(trained.values()), CPU, "auto", silent)
    assert found.keys() == {run.run for run in trained.values()}
    for run in trained.values():
        windows = split_windows(run.config, run.subject.store, "validation", CPU, "auto")
        assert found[run.run] == evaluate(identity, HEATMAPS, windows).pck["0.2"]
    assert found[trained["smooth"].run] != found[trained["conv"].run]  # eight windows and four
