import json
import re
import shutil
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from posedata.build import build_store
from posedata.config import SIGMA_SETS, Noise, Recipe, Selection
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, ResourceError
from posedata.progress import Advance, Progress, silent
from posedata.store.reader import Store
from posetrain import checkpoints, refining, sweep
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.experiments import EXPERIMENTS
from posetrain.sweep import Planned, plan
from posetrain.training import train

CPU = torch.device("cpu")
OPTIONS = {"epochs": 2, "max_windows": 4, "batch_size": 4}
Plan = Callable[..., list[Planned]]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sweep"


@pytest.fixture
def small(stores: dict[str, Path], out: Path) -> Plan:
    """A sweep over one experiment, finetuned, on small stores."""

    def make(*models: str, experiments: tuple[str, ...] = ("1.1",), on: str | None = "speed21", **options: Any) -> Any:
        return plan(models, experiments, OPTIONS | options, [stores["brace"]], stores[on] if on else None, out)

    return make


def run(planned: list[Planned], progress: Progress = silent) -> tuple[list[dict[str, Any]], list[Any], list[str]]:
    """Rows, errors and what was logged."""
    lines: list[str] = []
    return *sweep.sweep(planned, CPU, "auto", progress, lines.append), lines


def weights(training: Planned, epoch: int = 2) -> dict[str, Tensor]:
    return checkpoints.load_weights(training.run, epoch)


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def files(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.rglob("*") if path.is_file()}


# What is planned.


def test_pretraining_comes_before_finetuning(small: Plan, out: Path) -> None:
    planned = small("smoothnet", "conv3d", experiments=("1.1", "1.3"))
    pretrained = ["smoothnet-1.1", "smoothnet-1.3", "conv3d-1.1", "conv3d-1.3"]
    assert [p.run for p in planned] == [out / f"{name}{end}" for end in ("", "-finetuned") for name in pretrained]
    assert [p.store.path.stem for p in planned] == ["brace"] * 4 + ["speed21"] * 4


def test_a_finetuning_finds_its_pretraining_from_any_folder(
    stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, tuned = plan(["conv3d"], ["1.1"], OPTIONS, [stores["brace"]], stores["speed21"], Path("sweep"))
    assert tuned.config.init == str(tmp_path / "sweep" / "conv3d-1.1")


def test_a_training_is_configured_as_published(small: Plan, out: Path) -> None:
    first, half, tuned, half_tuned = (p.config for p in small("conv3d", experiments=("1.1", "1.3"), seed=7))
    assert [c.frame_step for c in (first, half, tuned, half_tuned)] == [1, 2, 1, 2]
    assert [c.learning_rate for c in (first, half, tuned, half_tuned)] == [1e-3, 1e-3, 1e-4, 1e-4]
    assert [c.init for c in (first, half)] == [None, None]
    assert [c.init for c in (tuned, half_tuned)] == [str(out / "conv3d-1.1"), str(out / "conv3d-1.3")]
    assert {(c.model, c.seed, c.epochs, c.max_windows) for c in (first, half, tuned, half_tuned)} == {
        ("conv3d", 7, 2, 4)
    }


@pytest.fixture(scope="module")
def published(raw_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A store for each k and each set of sigmas."""
    root, made = tmp_path_factory.mktemp("published"), []
    for k in (1, 2):
        for sigmas in SIGMA_SETS.values():
            recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(k=k, sigmas=sigmas))
            made.append(root / recipe.store_name)
            build_store(recipe, {"brace": raw_trees["brace"]}, made[-1])
    return made


def test_by_default_the_24_published_runs_are_planned_each_on_its_store(published: list[Path], out: Path) -> None:
    planned = plan([], [], {}, published, None, out)
    models = ("conv3d", "deciwatch", "convlstm-sum", "convlstm-concat")
    assert [p.run.name for p in planned] == [f"{model}-{name}" for model in models for name in EXPERIMENTS]
    assert {p.experiment: p.store.path.stem for p in planned} == {
        "1.1": "brace-k1-random",
        "1.2": "brace-k1-fixed",
        "1.3": "brace-k1-random",
        "2.1": "brace-k2-random",
        "2.2": "brace-k2-fixed",
        "2.3": "brace-k2-random",
    }
    assert {p.config.epochs for p in planned} == {50}


def test_all_missing_stores_are_told_at_once_with_what_builds_them(
    stores: dict[str, Path], out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    for given, missing in (([], ["1 random", "1 fixed", "2 random", "2 fixed"]), ([stores["brace"]], ["1 fixed"])):
        names = [] if not given else ["1.1", "1.2", "1.3"]
        with pytest.raises(BadInputError) as caught:
            plan([], names, {}, given, None, out)
        found = [re.search(r"posedata build .* --k (.) --sigma-set (\w+)$", fault) for fault in caught.value.faults]
        assert [" ".join(match.groups()) for match in found if match] == missing
        assert len(found) == len(missing)


@pytest.mark.parametrize(
    ("models", "experiments", "options", "words"),
    [
        (("conv4d",), ("1.1",), {}, "conv3d, "),
        (("conv3d", "mixer-fitted"), ("1.1",), {}, "--model mixer-fitted: .* a run of mixer; posetrain run --init"),
        (("conv3d",), ("1.1", "4.1"), {}, r"--experiment 4\.1: expected one of 1\.1, "),
        (("conv3d",), ("1.1",), {"epochs": 0}, "epochs"),
        (("conv3d", "deciwatch"), ("1.1",), {"sampling_step": 9}, "sampling"),
    ],
)
def test_what_is_no_choice_is_refused(
    small: Plan, models: tuple[str, ...], experiments: tuple[str, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ChoiceError, match=words):
        small(*models, experiments=experiments, **options)


def test_a_store_without_windows_is_refused_before_anything_is_trained(small: Plan, out: Path) -> None:
    with pytest.raises(BadInputError, match=r"climbalong\.zarr: .*validation windows of 5 frames at step 2"):
        small("smoothnet", experiments=("1.1", "1.3"), on="climbalong")
    assert not out.exists()


def claim(planned: Planned, store: str = "s.zarr", digest: str | None = None, **other: Any) -> None:
    """A run of other settings where this one should go."""
    config = planned.config.model_copy(update=other)
    digest = digest or planned.store.manifest.content_digest
    info = RunInfo(config=config, store=StoreReference(path=store, content_digest=digest))
    checkpoints.write_json(planned.run / checkpoints.RUN_NAME, info.model_dump())


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 3}, "seed 3"),
        ({"batch_size": 8, "epochs": 9}, "epochs 9, batch_size 8"),
        ({"digest": "0", "store": "other.zarr"}, r"store other\.zarr"),
    ],
)
def test_runs_of_other_settings_are_not_gone_on_with(small: Plan, other: dict[str, Any], words: str) -> None:
    first, tuned = small("smoothnet")
    for there in (first, tuned):
        claim(there, **other)
        with pytest.raises(ConflictError, match=f"{there.run.name}: .* found one with {words}; use another --out"):
            small("smoothnet")
        shutil.rmtree(there.run)


def test_a_sweep_that_was_moved_is_gone_on_with(small: Plan) -> None:
    _, tuned = small("smoothnet")
    claim(tuned, store="was/there.zarr", init="was/there/smoothnet-1.1")
    assert len(small("smoothnet")) == 2


# What is done.


@pytest.fixture(scope="module")
def finished(stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Folder and rows of a sweep of two models, finetuned; tests must not change it."""
    folder = tmp_path_factory.mktemp("finished")
    planned = plan(["smoothnet", "conv3d"], ["1.1"], OPTIONS, [stores["brace"]], stores["speed21"], folder)
    rows, errors, _ = run(planned)
    assert errors == []
    return folder, rows


@pytest.fixture
def copied(finished: tuple[Path, object], small: Plan, out: Path) -> list[Planned]:
    """The same sweep, free to be damaged, as it is planned again."""
    shutil.copytree(finished[0], out)
    return small("smoothnet", "conv3d")


def test_every_run_has_a_row_with_its_figures(finished: tuple[Path, list[dict[str, Any]]]) -> None:
    folder, rows = finished
    names = ["smoothnet-1.1", "conv3d-1.1", "smoothnet-1.1-finetuned", "conv3d-1.1-finetuned"]
    assert [(row["name"], row["state"], row["epochs"]) for row in rows] == [(name, "finished", 2) for name in names]
    for row in rows:
        history = checkpoints.load_state(folder / row["name"], 2)["history"]
        assert row["val_loss"] == history[row["best_epoch"] - 1]["val_loss"]
        assert row["experiment"] == "1.1"


def test_a_second_sweep_repeats_nothing(copied: list[Planned], out: Path, finished: tuple[Path, list[Any]]) -> None:
    before = files(out)
    rows, errors, lines = run(copied)
    assert files(out) == before
    assert (rows, errors) == (finished[1], [])
    assert [line.split(",")[0] for line in lines] == [
        f"{i}/4 {p.run.name}: done before" for i, p in enumerate(copied, start=1)
    ]


def test_an_interrupted_sweep_goes_on_and_ends_with_the_same_weights(
    copied: list[Planned], finished: tuple[Path, list[Any]]
) -> None:
    kept, cut, lost, _ = copied
    (cut.run / checkpoints.SUMMARY_NAME).unlink()
    shutil.rmtree(cut.run / "checkpoints" / "0002")
    shutil.rmtree(lost.run)
    before = files(kept.run)
    rows, _, lines = run(copied)
    assert [line.split(": ")[1].split(",")[0] for line in lines] == ["done before", "done", "done", "done before"]
    assert [row["state"] for row in rows] == ["finished"] * 4
    for planned in copied:
        assert same(weights(planned), checkpoints.load_weights(finished[0] / planned.run.name, 2))
    assert files(kept.run) == before


def test_finetuning_begins_with_the_best_weights_of_the_pretraining(
    small: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, percents = refining.evaluate, iter([50.0, 10.0, 50.0, 10.0])

    def rigged(*args: Any) -> Any:
        scores = real(*args)
        return replace(scores, pck={**scores.pck, "0.2": next(percents)})

    monkeypatch.setattr(refining, "evaluate", rigged)
    first, tuned = small("smoothnet")
    run([first, tuned])
    after = weights(tuned, 1)  # one step of Adam moves no weight by more than the learning rate

    def moved(before: dict[str, Tensor]) -> float:
        return max(float((after[name] - before[name]).abs().max()) for name in after)

    assert 0 < moved(weights(first, 1)) < 1.01e-4
    assert moved(weights(first, 2)) > 5e-4


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of conv3d is no number any more."""

    def hot(config: Any, *args: Any, **kwargs: Any) -> Any:
        rate = 1e30 if config.model == "conv3d" else config.learning_rate
        return train(config.model_copy(update={"learning_rate": rate}), *args, **kwargs)

    monkeypatch.setattr(sweep, "train", hot)


@pytest.mark.usefixtures("failing")
def test_a_run_that_fails_does_not_hold_up_the_others(small: Plan) -> None:
    rows, errors, lines = run(small("conv3d", "smoothnet"))
    assert [(row["name"], row["state"]) for row in rows] == [
        ("conv3d-1.1", "failed"),
        ("smoothnet-1.1", "finished"),
        ("conv3d-1.1-finetuned", "failed"),
        ("smoothnet-1.1-finetuned", "finished"),
    ]
    assert [type(error) for error in errors] == [BadInputError, BadInputError]
    assert "epoch 1, step 1: loss: expected a number" in str(errors[0]) or "validation loss" in str(errors[0])
    assert re.search(r"conv3d-1\.1: expected a finished pretraining, found none", str(errors[1]))
    assert [("failed: " in line) for line in lines] == [True, False, True, False]


@pytest.mark.parametrize("content", ["", "[]", "{}", "\x00"])
def test_a_damaged_summary_is_written_again(copied: list[Planned], content: str) -> None:
    path = copied[0].run / checkpoints.SUMMARY_NAME
    before = path.read_text()
    path.write_text(content)
    rows, errors, _ = run(copied)
    assert (errors, [row["state"] for row in rows]) == ([], ["finished"] * 4)
    assert json.loads(path.read_text())["val_pck"] == json.loads(before)["val_pck"]


def test_a_store_that_cannot_be_fed_so_is_told_before_anything_is_trained(stores: dict[str, Path], out: Path) -> None:
    planned = plan(["smoothnet"], ["1.1"], OPTIONS, [stores["brace"]], stores["climbalong"], out)
    with pytest.raises(ChoiceError, match="--feed render"):
        sweep.sweep(planned, CPU, "render", silent, lambda line: None)
    assert not out.exists()


def test_stepping_back_over_a_damaged_checkpoint_is_told(copied: list[Planned]) -> None:
    (copied[0].run / checkpoints.SUMMARY_NAME).unlink()
    (copied[0].run / "checkpoints" / "0002" / "state.pt").write_bytes(b"")
    _, errors, lines = run(copied)
    assert errors == []
    assert [line.startswith("1/4 smoothnet-1.1: warning: ") for line in lines[:2]] == [True, False]


def test_memory_that_is_used_up_fails_one_run_only(small: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    real = refining.evaluate

    def greedy(model: Any, *args: Any) -> Any:
        if type(model).__name__ == "Conv3D":
            torch.empty(1 << 55, dtype=torch.uint8)
        return real(model, *args)

    monkeypatch.setattr(refining, "evaluate", greedy)
    rows, errors, _ = run(small("conv3d", "smoothnet", on=None))
    assert [row["state"] for row in rows] == ["failed", "finished"]
    assert [type(error) for error in errors] == [ResourceError]


def test_of_a_run_that_failed_nothing_but_the_words_is_kept(small: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    models = []

    def greedy(model: Any, *args: Any) -> Any:
        models.append(weakref.ref(model))
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(refining, "evaluate", greedy)
    _, errors, _ = run(small("conv3d", on=None))
    assert [(error.__traceback__, error.__cause__, error.__context__) for error in errors] == [(None, None, None)]
    assert [model() for model in models] == [None]


def test_a_damaged_run_fails_and_the_others_are_trained(copied: list[Planned]) -> None:
    damaged, _, tuned, _ = copied
    (damaged.run / checkpoints.SUMMARY_NAME).unlink()
    for path in damaged.run.glob("checkpoints/*/state.pt"):
        path.write_bytes(b"")
    shutil.rmtree(tuned.run)
    rows, errors, _ = run(copied)
    assert [row["state"] for row in rows] == ["failed", "finished", "failed", "finished"]
    assert [type(error) for error in errors] == [IntegrityError, BadInputError]


# What is told.


class Told:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.parts: dict[str, list[float]] = {}
        self.totals: dict[str, tuple[int, str]] = {}

    @contextmanager
    def __call__(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        self.totals[what], self.parts[what] = (total, unit), []
        yield self.parts[what].append


def test_the_progress_of_a_run_adds_up_to_its_epochs(small: Plan) -> None:
    told = Told()
    run(small("smoothnet", max_windows=9), told)
    titles = ["1/2 smoothnet-1.1", "2/2 smoothnet-1.1-finetuned"]
    assert told.totals == dict.fromkeys(titles, (2, "epochs"))
    for title in titles:
        assert sum(told.parts[title]) == pytest.approx(2)
        assert len(told.parts[title]) > 4  # told within an epoch too


def test_what_was_done_before_an_interruption_counts_as_progress(copied: list[Planned]) -> None:
    (copied[0].run / checkpoints.SUMMARY_NAME).unlink()
    shutil.rmtree(copied[0].run / "checkpoints" / "0002")
    told = Told()
    run(copied, told)
    assert list(told.parts) == ["1/4 smoothnet-1.1"]
    first, *others = told.parts["1/4 smoothnet-1.1"]
    assert (first, sum(others)) == (1, pytest.approx(1))


def test_a_table_has_a_line_a_run_and_none_of_a_failed_ones_figures(finished: tuple[Path, list[Any]]) -> None:
    head, done, failed = sweep.table([finished[1][0], {"name": "x-1.1", "experiment": "1.1", "state": "failed"}])
    assert head[:4] == ("run", "state", "epochs", "best")
    assert len(head) == len(done) == len(failed)
    assert done[:3] == ("smoothnet-1.1", "finished", "2")
    assert done[5] == "/".join(f"{percent:.1f}" for percent in finished[1][0]["val_pck"].values())
    assert failed == ("x-1.1", "failed", *[""] * 5)


def test_a_store_may_be_given_by_its_name(
    noisy: Store, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    (tmp_path / "stores").mkdir()
    (tmp_path / "stores" / "mine.zarr").symlink_to(noisy.path.absolute())
    planned = plan(["smoothnet"], ["1.1"], OPTIONS, [Path("mine")], Path("mine"), out)
    assert [p.store.path.name for p in planned] == ["mine.zarr", "mine.zarr"]
