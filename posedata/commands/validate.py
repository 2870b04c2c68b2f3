"""`posedata validate`."""

from pathlib import Path

import click

from posedata import arguments, console


@click.command()
@click.argument("name", type=arguments.DATASET)
@click.argument("folder", metavar="DIR", type=arguments.FOLDER)
@click.option("--strict", is_flag=True, help="Fail at warnings, too.")
@arguments.output_options
def validate(name: str, folder: Path, strict: bool, as_json: bool, quiet: bool) -> None:
    """Find every fault of the raw tree of NAME in DIR, before a build; exit code 3 if there is one.

    A build stops at its first bad file; this reads them all, and writes nothing.
    Photographs and clips (coco, human36m) are read likewise by `posedata build --dataset coco --skip-bad --dry-run`.

    \b
    Examples:
      posedata validate brace data/raw/brace
      posedata validate penn_action data/raw/penn_action --strict --json
    """
    from posedata.validate import validate as validate_tree

    found = validate_tree(name, folder, console.progress(quiet))
    bad = bool(found.faults or (strict and found.warnings))
    if as_json:
        console.print_json({"dataset": name, "path": str(folder), "ok": not bad} | found.as_dict())
    else:
        for told in found.warnings:
            console.remark(f"warning: {f'{name}/{told.item}: ' if told.item else ''}{told.text}", quiet and not strict)
        for told in found.faults:
            console.remark(f"error: {told.text}", quiet=False)
        synthetic = " (synthetic)" if found.synthetic else ""
        console.print_table(
            [
                ("tree", f"{folder}: {'faulty' if bad else 'ok'}{synthetic}"),
                ("files", f"{found.files:,}"),
                (
                    "sequences",
                    f"{found.sequences:,} good of {found.items:,}, {found.without_window:,} without a window",
                ),
                ("frames", f"{found.frames:,} ({found.empty_frames:,} empty)"),
                ("no torso", f"{found.frames_without_torso:,} frames"),
                ("keypoints", f"{found.keypoints:,} annotated"),
                ("gaps", f"{found.gaps:,}, {found.frames_in_gaps:,} frames missing; {found.shot_cuts:,} shot cuts"),
                *(("left out", f"{count:,} {what}") for what, count in sorted(found.left_out.items())),
                ("warnings", f"{len(found.warnings):,}"),
                ("faults", f"{len(found.faults):,}"),
            ]
        )
    if bad:
        raise click.exceptions.Exit(3)
