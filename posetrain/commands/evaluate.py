"""`posetrain eval`."""

from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posetrain.commands.options import device_options, pck_line, store_name


@click.command(name="eval")
@click.argument("what", metavar="default|RUN|FILE|BASELINE")
@click.option("--store", type=arguments.STORE, help="[default: the run's; for a baseline the newest in the data home]")
@click.option("--split", default="test", show_default=True, help="train, validation, test, held_out or all.")
@click.option("--window", type=click.IntRange(1), help="For a baseline or mixer.  [default: 5; the run's]")
@click.option("--frame-step", type=click.IntRange(1), help="For a baseline or mixer.  [default: 1; the run's]")
@click.option("--span", type=click.Choice(["window", "sequence"]), help="What is seen at once.  [default: window]")
@click.option(
    "--input",
    "given",
    type=click.Choice(["noisy", "clean"]),
    default="noisy",
    show_default=True,
    help="clean: the target itself, to see what published tables measured. No score of a refiner.",
)
@device_options
@arguments.output_options
def evaluate(
    what: str,
    store: Path | str | None,
    split: str,
    window: int | None,
    frame_step: int | None,
    span: Any,
    given: Any,
    device: str,
    feed: Any,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score a RUN's best epoch, the `default` of the package, a FILE of `posetrain export`, or a BASELINE, by PCK.

    Baselines: identity, and the filters moving-average, gaussian, savitzky-golay, one-euro and kalman, whose
    parameters are chosen on the validation split.

    Windows of every split but train share no frame. A prediction is made from the noisy input alone.

    \b
    Examples:
      posetrain eval identity --split all
      posetrain eval gaussian --span sequence
      posetrain eval conv3d-brace-k1-random --split test --json
      posetrain eval conv3d-brace-k1-random --input clean
      posetrain eval mixer-brace-k1-random --window 5 --span sequence
      posetrain eval default --store brace-k1-random --window 5
    """
    from posetrain import scoring
    from posetrain.bootstrap import intervals
    from posetrain.devices import pick_device

    picked = pick_device(device)
    subject = scoring.eval_subject(what, store, window, frame_step, picked, span, given)
    scores, chosen = scoring.score(subject, split, picked, feed, console.progress(quiet))
    sure = intervals(scores.by_video)
    if as_json:
        report: dict[str, Any] = {
            "model": subject.model,
            "store": str(subject.store.path),
            "split": split,
            "epoch": subject.epoch,
        }
        report |= {"input": given, "synthetic": subject.store.attributes["synthetic"], "pck_interval": sure}
        console.print_json(report | chosen | scores.as_dict())
        return
    console.print_table(
        [
            ("model", subject.model + (f", {chosen['span']}, {chosen['parameters']}" if chosen else "")),
            ("store", store_name(subject.store)),
            *([("input", "CLEAN: the target itself was the input; no score of a refiner")] if given == "clean" else []),
            ("split", f"{split}: {scores.windows:,} windows, {scores.keypoints:,} keypoints"),
            ("frames", f"{scores.frames_scored:,} scored, {scores.frames_unscored:,} without a torso"),
            ("PCK", pck_line(scores.pck)),
            ("95 %", _intervals(sure)),
            ("PCK point", pck_line(scores.pck_point)),
            *((f"  {joint}", pck_line(score)) for joint, score in scores.per_joint.items()),
            ("trembles", _acceleration(scores.acceleration)),
            ("loss", f"{scores.loss:.5f}"),
        ]
    )


def _acceleration(error: float | None) -> str:
    if error is None:
        return "unknown: no keypoint in three frames on end"
    return f"{100 * error:.2f} % of a torso (acceleration error)"


def _intervals(sure: Any) -> str:
    shown = (f"@{threshold} {low:.1f} to {high:.1f} %" for threshold, (low, high) in sure.items())
    return "   ".join(shown) or "unknown: fewer than two videos"
