"""The examples in the help of every command: each is understood, and what can run on synthetic data does, in order."""

import inspect
import re
import shlex
from pathlib import Path

import click
import pytest
from lines import carry_out
from zygote import Zygote

from posedata.cli import cli as posedata
from posetrain.cli import cli as posetrain

_PARAGRAPH = re.compile(r"^\x08\n\S.*\n((?:  .*\n?)+)", re.MULTILINE)

NOT_RUN = {
    "posedata build --dataset brace --scheduler tcp://host:8786": "a cluster: tests/posedata/test_cluster.py",
    "posedata info s3://bucket/datasets/brace-k1-random": "S3: test_sharing_guide.py",
    "posedata fetch brace": "the authors' servers: tests/posedata/fetch/",
    "posedata fetch brace --url https://mirror.example/brace/": "a mirror: tests/posedata/fetch/",
    "posedata fetch speed21 --url https://example.org/speed21.zip --out raw/speed21": "a server: tests/posedata/fetch/",
    "posedata push brace-k2-random s3://bucket/datasets --dry-run": "S3: test_sharing_guide.py",
    "posedata pull s3://bucket/datasets/brace-k2-random": "S3: test_sharing_guide.py",
    "posedata pull https://example.org/datasets/brace-k2-random --dry-run": "a server: tests/posedata/sharing/",
    "posedata list s3://bucket/datasets --json": "S3: test_sharing_guide.py",
    "posedata status s3://bucket/datasets --dataset brace-k2-random": "S3: test_sharing_guide.py",
    "posedata preview climbs.zarr --video films/ --out climbs.png": "films: tests/posedata/preview/test_cli.py",
    "posetrain detect hourglass-coco climb.mp4 --people yolos-tiny --out climbs": "people: tests/posetrain/detect/",
    "posetrain run --resume": "a training that was cut: test_killed_training.py",
    "torchrun --nproc-per-node 4 -m posetrain run data/stores/brace-k2-random.zarr": "four processes: test_team.py",
    "posetrain sweep": "24 trainings: tests/posetrain/test_sweep.py",
    "posetrain sweep --finetune climbalong-detector": "48 trainings: tests/posetrain/test_sweep.py",
    "posetrain push conv3d-brace-k2-random s3://bucket/datasets": "S3: tests/posetrain/test_sharing.py",
    "posetrain pull s3://bucket/datasets/conv3d-brace-k2-random": "S3: tests/posetrain/test_sharing.py",
    "posetrain list s3://bucket/datasets": "S3: tests/posetrain/test_sharing.py",
}
"""Example -> what it needs, and where the like of it is tried."""

BEFORE = {
    "posedata": [],
    "posedata sample": [],
    "posedata calibrate": [
        "posedata sample climbalong --sequences 4 --frames 24",
        "posedata build --dataset climbalong",
    ],
    "posedata manifest": [
        "posedata build --dataset brace --k 2 --sigma-set random",
        "mkdir data_manifests",
    ],
    "posedata build": [
        "rm -r data/stores/brace-k2-random.zarr",
        "posedata sample penn_action --frames 70",
        "posedata sample speed21 --frames 40",
        "posedata build --dataset brace --out configured.zarr --show-config > build.yaml",
    ],
    "posedata merge": ["posedata build --dataset penn_action"],
    "posedata push": ["posedata build --dataset brace --k 2 --overwrite"],
    "posedata pull": [
        "posedata manifest brace-k2-random --location /mnt/team/datasets > data_manifests/brace-k2-random.json",
        "rm -r data/stores/brace-k2-random.zarr",
    ],
    "posetrain": [],
    "posetrain eval": ["posetrain run brace-k1-random", "posetrain run brace-k1-random --model mixer --window 9"],
    "posetrain predict": ["posedata sample keypoints --out detected --sequences 2 --frames 30"],
    "posetrain runs": [
        "posetrain run brace-k2-random",
        "posetrain sweep --model smoothnet --experiment 1.1 --out data/runs/sweep",
    ],
    "posetrain report": [
        "posetrain run brace-k1-random --model smoothnet",
        "posetrain run coco.zarr --model hourglass",
    ],
    "posetrain run": ["posetrain run --model deciwatch --show-config > run.yaml"],
    "posetrain detect": [],
}
"""Command -> what its examples find done; its examples come in this order, those of other commands behind."""

STRICT = "posedata validate penn_action data/raw/penn_action --strict --json"
EXIT_CODES = {STRICT: 3}
"""The samples have quirks that are warned of."""


def examples() -> dict[str, list[str]]:
    """Command -> the examples of its help."""
    found = {}
    for program, group in (("posedata", posedata), ("posetrain", posetrain)):
        for path, command in ((program, group), *((f"{program} {name}", c) for name, c in group.commands.items())):
            paragraphs = _PARAGRAPH.findall(inspect.cleandoc(command.help or ""))
            found[path] = [line.strip() for paragraph in paragraphs for line in paragraph.splitlines()]
    return found


EXAMPLES = examples()
LINES = list(dict.fromkeys(line for lines in EXAMPLES.values() for line in lines))


@pytest.mark.parametrize("path", EXAMPLES)
def test_every_command_has_an_example_of_its_own(path: str) -> None:
    assert any(re.search(rf"\b{path} ?", line) for line in EXAMPLES[path])


def parsed(line: str) -> click.Context:
    """A line taken to the point where it would be executed."""
    words = shlex.split(line.partition(" > ")[0])
    if words[0] == "torchrun":
        words = words[words.index("-m") + 1 :]
    group = {"posedata": posedata, "posetrain": posetrain}[words[0]]
    with group.make_context(words[0], words[1:]) as context:
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        return command.make_context(name, rest, parent=context)


@pytest.mark.parametrize("line", LINES)
def test_every_example_is_understood(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("build.yaml", "run.yaml"):
        (tmp_path / name).write_text("seed: 2\n")
    assert parsed(line).command.callback is not None


@pytest.mark.parametrize(
    "line", ["posedata build --datasets brace", "posedata sample brace --frames 1", "posetrain eva"]
)
def test_an_example_that_is_not_understood_is_seen(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


def test_what_is_not_run_is_an_example() -> None:
    assert NOT_RUN.keys() <= set(LINES)
    assert EXIT_CODES.keys() <= set(LINES)
    assert BEFORE.keys() <= EXAMPLES.keys()


SHORT = {
    "posedata sample brace": " --sequences 8 --frames 12",
    "posedata sample climbalong --sequences 4 --frames 60": " --sequences 1 --frames 6",
    "posedata sample film": " --frames 6",
    "posedata sample keypoints": " --frames 8",
    "posedata preview penn.zarr --sequence penn_action/0001 --frames 10:60": " --frames 10:16",
    "posetrain run": " --epochs 1 --max-windows 8",
    "posetrain run coco.zarr": " --max-windows 1 --width 16",
    "posetrain sweep": " --epochs 1 --max-windows 8",
    "posetrain explain": " --samples 4",
}
"""How a line begins -> what is added to it, so that it is done soon."""


def short(line: str) -> str:
    """A line with its placeholder filled in, on little data."""
    more = "".join(added for start, added in SHORT.items() if re.match(rf"{start}( |$)", line))
    command, to, file = line.replace("VIDEO", "Qw3rTy_5-iO").partition(" > ")
    return command + more + to + file


def test_the_examples_work(tmp_path: Path, zygote: Zygote, monkeypatch: pytest.MonkeyPatch) -> None:
    """Placeholders are filled in; trainings are cut short."""
    monkeypatch.delenv("POSEDATA_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    run = set(NOT_RUN)
    order = [path for path in BEFORE if path.startswith("posedata")]
    order += [path for path in EXAMPLES if path.startswith("posedata") and path not in BEFORE]
    order += [path for path in BEFORE if path.startswith("posetrain")]
    order += [path for path in EXAMPLES if path not in order]
    for path in order:
        for line in (*BEFORE.get(path, ()), *EXAMPLES[path]):
            if line in run:
                continue
            run.add(line)
            told = short(line).replace(" /tmp/", " ").replace("/mnt/", "")
            code, words = carry_out(told, zygote, tmp_path)
            assert code == EXIT_CODES.get(line, 0), f"{told}\n{words[-2000:]}"
    assert set(LINES) <= run
