import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch

from posedata.errors import BadInputError, ConflictError, IntegrityError, ResourceError
from posedata.locks import locked
from posedata.store.reader import Store, open_store
from posetrain import checkpoints, refining
from posetrain.config import TrainConfig
from posetrain.data import split_windows
from posetrain.devices import place
from posetrain.evaluation import evaluate
from posetrain.history import load_best
from posetrain.models import find_model, make_model
from posetrain.training import train

CPU = torch.device("cpu")
pytestmark = pytest.mark.usefixtures("one_thread")


def weights(run: Path, epoch: int) -> dict[str, torch.Tensor]:
    return checkpoints.load_weights(run, epoch)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def figures(run: Path, epoch: int) -> list[dict[str, float]]:
    """The history as of an epoch, without what a clock says."""
    clock = {"seconds", "windows_per_second"}
    history = checkpoints.load_state(run, epoch)["history"]
    return [{name: value for name, value in row.items() if name not in clock} for row in history]


def rig(monkeypatch: pytest.MonkeyPatch, losses: Sequence[float] = (), percents: Sequence[float] = ()) -> None:
    """Epochs reach these validation losses, or these PCK@0.2."""
    real, loss, percent = refining.evaluate, iter(losses), iter(percents)

    def rigged(*args: object) -> object:
        scores = real(*args)  # type: ignore[arg-type]
        pck = {**scores.pck, "0.2": next(percent, scores.pck["0.2"])}
        return replace(scores, loss=next(loss, scores.loss), pck=pck)

    monkeypatch.setattr(refining, "evaluate", rigged)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_training_lowers_the_loss_and_keeps_its_figures(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    lines: list[str] = []
    summary = train(quick, noisy, tmp_path, device=CPU, log=lines.append)
    history = checkpoints.load_state(tmp_path, 3)["history"]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert len(lines) == len(history) == summary["epochs"] == 3
    best = history[summary["best_epoch"] - 1]
    assert best["val_pck@0.2"] == max(row["val_pck@0.2"] for row in history) == summary["val_pck"]["0.2"]
    assert summary["parameters"] == 78_150
    curves = (tmp_path / "curves.csv").read_text().splitlines()
    assert curves[0].startswith("epoch,train_loss,val_loss,val_pck@0.05,val_pck@0.1,val_pck@0.2,learning_rate")
    assert len(curves) == 4


def test_training_is_the_same_every_time_and_by_every_feed(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    config = quick.model_copy(update={"epochs": 2})
    for name, feed in (("a", "auto"), ("b", "auto"), ("c", "store")):
        train(config, noisy, tmp_path / name, device=CPU, feed=feed)
    assert same(weights(tmp_path / "a", 2), weights(tmp_path / "b", 2))
    assert same(weights(tmp_path / "a", 2), weights(tmp_path / "c", 2))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model", ["conv3d", "smoothnet", "mixer"])  # the last two draw at random as they train
def test_a_resumed_training_ends_with_the_same_bits(noisy: Store, tmp_path: Path, model: str, precision: str) -> None:
    config = TrainConfig(model=model, precision=precision, epochs=3, max_windows=8, batch_size=4)  # type: ignore[arg-type]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(config, noisy, whole, device=CPU)
    train(config.model_copy(update={"epochs": 1}), noisy, cut, device=CPU)
    torch.manual_seed(99)
    train(config, noisy, cut, device=CPU, resume=True)
    assert same(weights(whole, 3), weights(cut, 3))
    assert figures(whole, 3) == figures(cut, 3)


def test_what_mps_draws_goes_on_too(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put: list[list[int]] = []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([7]))
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: put.append(state.tolist()))
    config = quick.model_copy(update={"model": "smoothnet", "epochs": 1, "max_windows": 1})
    train(config, noisy, tmp_path, device=CPU)
    train(config.model_copy(update={"epochs": 2}), noisy, tmp_path, device=CPU, resume=True)
    assert put == [[7]]


ORDER = ("mixer", "mixer-fitted", "mixer-few")
"""Each begins with a run of the one before."""


@pytest.mark.parametrize(
    ("model", "average"), [("mixer", 0.0), ("mixer", 0.9), ("mixer-fitted", 0.9), ("mixer-few", 0.9)]
)
def test_a_rate_that_falls_and_a_mean_of_weights_are_resumed_too(
    noisy: Store, tmp_path: Path, model: str, average: float
) -> None:
    regime = {"optimizer": "muon", "schedule": "cosine", "average": average}
    config = TrainConfig(model="mixer", epochs=3, max_windows=8, batch_size=4, **regime)  # type: ignore[arg-type]
    for before, after in (("mixer", "mixer-fitted"), ("mixer-fitted", "mixer-few"))[: ORDER.index(model)]:
        first = tmp_path / before
        train(config.model_copy(update={"epochs": 1}), noisy, first, device=CPU)
        config = config.model_copy(update={"model": after, "init": str(first)})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(config, noisy, whole, device=CPU)

    def stop(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, noisy, cut, device=CPU, log=stop)
    torch.manual_seed(99)
    train(config, noisy, cut, device=CPU, resume=True)
    assert same(weights(whole, 3), weights(cut, 3))
    assert figures(whole, 3) == figures(cut, 3)
    rates = [row["learning_rate"] for row in figures(whole, 3)]
    assert len(set(rates)) == 3
    if config.init:
        began, ended = weights(Path(config.init), 1), weights(whole, 3)
        assert all(torch.equal(ended[name], value) for name, value in began.items())
        learned = "few.fit.0.weight" if model == "mixer-few" else "fit.0.weight"
        assert not torch.equal(ended[learned], weights(whole, 2)[learned])
    now = checkpoints.load_state(whole, 3)["optimizer"]["now"]
    assert (now == {}) if not average else not same(now, weights(whole, 3))


def test_a_rate_that_falls_steadily_neither_waits_nor_stops(
    noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig(monkeypatch, losses=[1.0] * 5)
    config = TrainConfig(epochs=5, max_windows=1, batch_size=1, schedule="cosine", reduce_after=1, stop_after=2)
    assert train(config, noisy, tmp_path, device=CPU)["epochs"] == 5


def test_half_precision_is_for_the_steps_alone(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    half, full = quick.model_copy(update={"precision": "bfloat16"}), quick
    for name, config in (("half", half), ("full", full)):
        train(config, noisy, tmp_path / name, device=CPU)
    after = weights(tmp_path / "half", 3)
    assert not same(after, weights(tmp_path / "full", 3))
    state = checkpoints.load_state(tmp_path / "half", 3)
    moments = [value for entry in state["optimizer"]["adam"]["state"].values() for value in entry.values()]
    assert {tensor.dtype for tensor in [*after.values(), *moments]} == {torch.float32}
    history = state["history"]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert history[-1]["train_loss"] == pytest.approx(figures(tmp_path / "full", 3)[-1]["train_loss"], rel=0.02)


def test_half_precision_does_not_touch_scores(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    config = quick.model_copy(update={"precision": "bfloat16", "epochs": 1})
    train(config, noisy, tmp_path, device=CPU)
    model = make_model(config)
    model.load_state_dict(weights(tmp_path, 1))
    validation = split_windows(config, noisy, "validation", CPU, "auto")
    scores = evaluate(place(model, CPU).eval(), find_model(config.model).task, validation)
    (row,) = checkpoints.load_state(tmp_path, 1)["history"]
    assert (scores.loss, scores.pck["0.2"]) == (row["val_loss"], row["val_pck@0.2"])


@pytest.fixture(scope="module")
def finished(noisy: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four epochs; tests must not change it."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    train(TrainConfig(epochs=4, max_windows=8, batch_size=4), noisy, run, device=CPU)
    return run


@pytest.fixture
def cut(finished: Path, tmp_path: Path) -> Path:
    """The same run before its summary was written, free to be damaged."""
    run = Path(shutil.copytree(finished, tmp_path / "cut"))
    (run / checkpoints.SUMMARY_NAME).unlink()
    return run


@pytest.mark.parametrize("name", ["weights.safetensors", "state.pt", "sha256.json"])
def test_a_damaged_checkpoint_is_told_and_trained_again_from_the_one_before(
    noisy: Store, finished: Path, cut: Path, name: str
) -> None:
    flip(cut / "checkpoints" / "0004" / name)
    lines: list[str] = []
    config = checkpoints.read_run(cut).config
    train(config, noisy, cut, device=CPU, resume=True, log=lines.append)
    warnings = [line for line in lines if line.startswith("warning: ")]
    damaged = "weights.safetensors" if name == "sha256.json" else name
    assert len(warnings) == 1
    assert str(cut / "checkpoints" / "0004" / damaged) in warnings[0]
    assert "epoch 3" in warnings[0]
    assert same(weights(cut, 4), weights(finished, 4))
    assert figures(cut, 4) == figures(finished, 4)
    assert checkpoints.saved_epochs(cut) == checkpoints.saved_epochs(finished)
    assert len((cut / "curves.csv").read_text().splitlines()) == 5


def test_a_run_that_trains_an_epoch_again_is_not_finished_until_it_has(
    noisy: Store, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    flip(run / "checkpoints" / "0004" / "weights.safetensors")

    def cut_again(*arguments: object) -> float:
        assert not (run / checkpoints.SUMMARY_NAME).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr("posetrain.training.train_epoch", cut_again)
    with pytest.raises(KeyboardInterrupt):
        train(checkpoints.read_run(run).config, noisy, run, device=CPU, resume=True)


def test_training_steps_back_as_far_as_it_must(noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig(monkeypatch, percents=[50, 10, 20, 30])
    config = TrainConfig(epochs=4, max_windows=4, batch_size=4)
    train(config, noisy, tmp_path, device=CPU)
    assert checkpoints.saved_epochs(tmp_path) == [1, 3, 4]
    last = weights(tmp_path, 4)
    shutil.rmtree(tmp_path / "checkpoints" / "0003")
    (tmp_path / "checkpoints" / "0003").mkdir()
    flip(tmp_path / "checkpoints" / "0004" / "state.pt")
    lines: list[str] = []
    rig(monkeypatch, percents=[10, 20, 30])
    train(config, noisy, tmp_path, device=CPU, resume=True, log=lines.append)
    assert [("0004/state.pt" in line, "0003/weights" in line, "epoch 1" in line) for line in lines[:2]] == [
        (True, False, True),
        (False, True, True),
    ]
    assert same(weights(tmp_path, 4), last)


def test_a_run_without_a_sound_checkpoint_is_refused_and_left_as_it_is(noisy: Store, cut: Path) -> None:
    epochs = checkpoints.saved_epochs(cut)
    for epoch in epochs:
        flip(cut / "checkpoints" / f"{epoch:04d}" / "weights.safetensors")
    before = {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()}
    with pytest.raises(IntegrityError) as caught:
        train(checkpoints.read_run(cut).config, noisy, cut, device=CPU, resume=True)
    assert len(caught.value.faults) == len(epochs)
    assert all(f"{epoch:04d}/weights.safetensors" in str(caught.value) for epoch in epochs)
    assert {path: path.read_bytes() for path in cut.rglob("*") if path.is_file()} == before


def test_a_run_finds_its_store_from_any_folder(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(noisy.path.parent)
    store = open_store(Path(noisy.path.name))
    train(quick.model_copy(update={"model": "smoothnet", "epochs": 1}), store, tmp_path, device=CPU)
    assert Path(checkpoints.read_run(tmp_path).store.path) == noisy.path


@pytest.mark.parametrize("resume", [True, False])
def test_weights_of_another_version_of_a_model_are_refused(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, resume: bool
) -> None:
    config = quick.model_copy(update={"model": "smoothnet", "epochs": 1})
    train(config, noisy, tmp_path / "old", device=CPU)
    monkeypatch.setattr("posetrain.models.smoothnet._HIDDEN", 64)
    run = tmp_path / ("old" if resume else "new")
    further = config.model_copy(update={"epochs": 2} if resume else {"init": str(tmp_path / "old")})
    with pytest.raises(IntegrityError, match=r"old: expected weights of this version's smoothnet, found others"):
        train(further, noisy, run, device=CPU, resume=resume)


def test_weights_of_which_one_is_missing_are_refused(
    command: Callable[..., CompletedProcess[str]], noisy: Store, tmp_path: Path
) -> None:
    train(TrainConfig(model="smoothnet", epochs=1, max_windows=4, batch_size=4), noisy, tmp_path / "first", device=CPU)
    state, kept = checkpoints.load_state(tmp_path / "first", 1), weights(tmp_path / "first", 1)
    kept.popitem()
    shutil.rmtree(tmp_path / "first" / "checkpoints")
    checkpoints.save_checkpoint(tmp_path / "first", 1, kept, state)
    done = command("posetrain", "run", noisy.path, "--init", "first", "--out", "second", "--device", "cpu", "--quiet")
    fault = f"{tmp_path / 'first'}: expected weights of this version's smoothnet, found others; train it anew"
    assert (done.returncode, done.stderr) == (4, f"error: {fault}\n")
    assert not (tmp_path / "second").exists()


def test_a_run_that_is_refused_is_left_as_it_is(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = quick.model_copy(update={"model": "smoothnet"})
    train(config, noisy, tmp_path, device=CPU)
    flip(tmp_path / "checkpoints" / "0003" / "state.pt")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    monkeypatch.setattr("posetrain.models.smoothnet._HIDDEN", 64)
    with pytest.raises(IntegrityError, match="expected weights of this version's smoothnet"):
        train(config, noisy, tmp_path, device=CPU, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("model", ["mixer-fitted", "mixer-few"])
@pytest.mark.parametrize("change", [{"noise": None}, {"box_span": "sequence"}, {"box_jitter": 0.05}])
def test_what_fits_poses_to_boxes_is_not_trained_in_others(
    noisy: Store, tmp_path: Path, model: str, change: dict[str, object]
) -> None:
    recipe = {**noisy.attributes["recipe"], **change}
    other = replace(noisy, attributes={**noisy.attributes, "recipe": recipe})
    config = TrainConfig(model=model, epochs=1, max_windows=2)
    with pytest.raises(
        BadInputError, match=r"\.zarr: boxes: expected those of the frames' own keypoints, found others"
    ):
        train(config, other, tmp_path / "run", device=CPU)
    assert not (tmp_path / "run").exists()
    (tmp_path / "run").mkdir()  # as `posetrain run` takes its name
    with pytest.raises(BadInputError, match="boxes: expected"):
        train(config, other, tmp_path / "run", device=CPU)
    assert not (tmp_path / "run").exists()


def test_the_gradient_is_that_of_the_masked_mean(noisy: Store, tmp_path: Path) -> None:
    """One step from known weights moves them as Adam moves them along the gradient of the masked mean."""
    config = TrainConfig(epochs=1, max_windows=2, batch_size=2, learning_rate=1e-3)
    train(config, noisy, tmp_path, device=CPU)
    model = make_model(config)
    windows = split_windows(config, noisy, "train", CPU, "auto")
    (batch,) = windows.batches(np.asarray([0, 1]), 2)
    mask = batch.annotated[..., None, None].expand_as(batch.target)
    target = torch.where(mask, batch.target, model(batch.input).detach())
    torch.nn.functional.mse_loss(model(batch.input), target).backward()
    after = weights(tmp_path, 1)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        clear = parameter.grad.abs() > 1e-4
        moved = after[name] - parameter.detach()
        torch.testing.assert_close(moved[clear], -1e-3 * parameter.grad[clear].sign(), rtol=0.01, atol=1e-6)


def test_the_rate_falls_on_the_fifth_epoch_without_a_lower_loss_and_training_stops_on_the_tenth(
    noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig(monkeypatch, losses=[5.0, 4.0, *[4.0] * 20])
    config = TrainConfig(epochs=50, max_windows=1, batch_size=1)
    summary = train(config, noisy, tmp_path, device=CPU)
    history = checkpoints.load_state(tmp_path, 12)["history"]
    assert summary["epochs"] == 12  # the second is the lowest; ten more do not beat it
    rates = [row["learning_rate"] for row in history]
    assert rates[:7] == [1e-3] * 7  # epochs 3 to 7 are the five without a lower loss
    assert rates[7:] == pytest.approx([1e-4] * 5)


def test_a_loss_that_is_no_number_stops_with_the_step_and_windows(
    noisy: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    hot = quick.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(BadInputError, match=r"epoch 1, step \d+: loss: .* start at frames \["):
        train(hot, noisy, tmp_path, device=CPU)


@pytest.mark.parametrize(
    ("where", "advice"),
    [
        ("training.train_epoch", "try a smaller --batch-size"),
        ("refining.evaluate", "32 windows are scored at once, whatever the --batch-size; end what else"),
    ],
)
def test_memory_that_is_used_up_is_told_with_what_may_help(
    noisy: Store, quick: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, advice: str
) -> None:
    monkeypatch.setattr(f"posetrain.{where}", lambda *given: torch.empty(1 << 55, dtype=torch.uint8))
    with pytest.raises(ResourceError, match=f"^cpu: expected enough memory, found none left; {advice}"):
        train(quick.model_copy(update={"max_windows": 1}), noisy, tmp_path, device=CPU)


@pytest.mark.parametrize(
    ("percents", "kept"),
    [
        ([50, 10, 20, 30, 40], [1, 4, 5]),
        ([50, 10, 20, 30, 60], [1, 4, 5]),  # epoch 1 is the best if checkpoint 5 should be damaged
        ([50, 10, 20, 60, 30], [4, 5]),
        ([10, 20, 30, 40, 50], [4, 5]),
    ],
)
def test_the_last_two_checkpoints_and_the_best_of_now_and_of_the_epoch_before_are_kept(
    noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, percents: list[float], kept: list[int]
) -> None:
    rig(monkeypatch, percents=percents)
    train(TrainConfig(epochs=5, max_windows=4, batch_size=4), noisy, tmp_path, device=CPU)
    assert checkpoints.saved_epochs(tmp_path) == kept
    assert load_best(tmp_path)[0] == percents.index(max(percents)) + 1
    shutil.rmtree(tmp_path / "checkpoints" / "0005")
    assert load_best(tmp_path)[0] == percents.index(max(percents[:4])) + 1


def test_a_split_without_windows_is_told(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="expected train windows of 900 frames"):
        train(quick.model_copy(update={"window": 900}), noisy, tmp_path / "run", device=CPU)
    assert not (tmp_path / "run").exists()


def test_two_processes_do_not_train_one_run(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    with locked(tmp_path, tmp_path), pytest.raises(ConflictError, match="another process"):
        train(quick, noisy, tmp_path, device=CPU)
