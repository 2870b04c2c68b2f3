"""Options from a YAML file: as if typed; written and read again; faulty in every way."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from posedata import arguments
from posedata.cli import cli
from posedata.config import Noise
from posedata.configfile import MOST_BYTES, config_keys, config_of, of_file, to_yaml
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.familyrequest import OWN_OPTIONS
from posedata.noisefile import write_noise
from posedata.request import RECIPE_OPTIONS

Run = Callable[..., subprocess.CompletedProcess[str]]

BUILD = cli.commands["build"]
GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
RANDOM = [1.0, 1.5, 2.0, 2.5, 3.0]


def parsed(*arguments: object) -> dict[str, Any]:
    """What `posedata build` would be called with, besides where it came from."""
    params = BUILD.make_context("build", list(map(str, arguments))).params
    return {name: value for name, value in params.items() if name not in ("config", "show_config")}


def from_file(folder: Path, text: str, *typed: object) -> dict[str, Any]:
    """The same, of a file and what is typed beside it."""
    path = folder / "b.yaml"
    path.write_text(text, encoding="utf-8")
    return parsed("--config", path, *typed)


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    told: dict[str, Any] = yaml.safe_load(done.stdout)
    return told


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("{}", []),
        ("# nothing\n---\nk: 2", ["--k", "2"]),
        ("k: 1e-1", ["--k", "1e-1"]),
        ("seed: 017", ["--seed", "017"]),
        ("dataset: penn-action", ["--dataset", "penn_action"]),
        ("dataset: [brace, speed21]", ["--dataset", "brace", "--dataset", "speed21"]),
        ("sigma-set: random", ["--sigma-set", "random"]),
        ("sigma-set: [1, 2.5]", ["--sigma-set", "1,2.5"]),
        ("sigma_set: 1,2.5", ["--sigma-set", "1,2.5"]),
        ("actions:\n- no\n- situp", ["--actions", "no,situp"]),
        ("actions: on", ["--actions", "on"]),
        ("raw: 2024-01-31", ["--raw", "2024-01-31"]),
        ("raw: [brace=a b, penn_action=c]", ["--raw", "brace=a b", "--raw", "penn_action=c"]),
        ("raw: {brace: a b, penn-action: c}", ["--raw", "brace=a b", "--raw", "penn-action=c"]),
        ("out: 'null'", ["--out", "null"]),
        ("out: größe/7.zarr", ["--out", "größe/7.zarr"]),
        ("out: ~/x.zarr", ["--out", "~/x.zarr"]),
        ("skip-bad: true\noverwrite: no", ["--skip-bad"]),
        ("k:\nseed: null\nout: ~\nraw: Null", []),
    ],
)
def test_a_value_in_the_file_is_as_if_typed(text: str, typed: list[str], tmp_path: Path) -> None:
    assert from_file(tmp_path, text) == parsed(*typed)


def test_what_is_typed_wins_and_replaces_lists(tmp_path: Path) -> None:
    text = "dataset: [brace, speed21]\nk: 2\nseed: 3\nraw: {brace: a}\nsigma-set: [1, 2]"
    typed = ("--dataset", "penn_action", "--k", "1", "--raw", "c", "--sigma-set", "fixed")
    assert from_file(tmp_path, text, *typed) == parsed(*typed, "--seed", "3")
    assert parsed(*typed, "--config", tmp_path / "b.yaml") == parsed(*typed, "--seed", "3")


def test_what_the_file_says_counts_as_given(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("k: 1\nseed:\nskip-bad: false")
    context = BUILD.make_context("build", ["--config", str(tmp_path / "b.yaml"), "--fps", "5"])
    assert arguments.given_options(context) == {"k", "skip_bad", "fps", "config"}


def test_keys_are_the_options_as_typed_but_those_that_steer_output() -> None:
    assert {"sigma-set", "dataset", "raw", "recipe", "dry-run"} <= config_keys(BUILD).keys()
    assert not {"json", "quiet", "q", "help", "config", "show-config"} & config_keys(BUILD).keys()


def test_every_option_is_in_the_recipe_or_a_matter_of_places_and_machines() -> None:
    """A new option belongs to one of them: what bytes depend on is stored, and nothing else."""
    elsewhere = {"recipe", "raws", "out", "workers", "scheduler", "skip_bad", "overwrite", "dry_run"}
    assert {parameter.name for parameter in config_keys(BUILD).values()} == elsewhere | {*RECIPE_OPTIONS, *OWN_OPTIONS}


TEXT = some.text(
    some.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="@"), min_size=1, max_size=20
)
NUMBERS = some.floats(allow_nan=False, allow_infinity=False)
VALUES = some.fixed_dictionaries(
    {
        "datasets": some.lists(some.sampled_from(["brace", "climbalong", "penn_action"])).map(tuple),
        "recipe": some.none() | TEXT,
        "raws": some.lists(TEXT).map(tuple),
        "out": some.none() | TEXT.map(Path),
        "k": NUMBERS,
        "sigmas": some.lists(NUMBERS, min_size=1).map(sorted).map(tuple),
        "sigma_per": some.sampled_from(["frame", "keypoint", "sequence"]),
        "noise": some.none() | TEXT.map(Path),
        "actions": some.none() | TEXT,
        "torso": some.none() | NUMBERS,
        "split": some.none() | some.sampled_from(["video", "official", "held-out", "train"]),
        "split_span": some.integers(min_value=1),
        "seed": some.integers(min_value=0),
        "fps": some.none() | NUMBERS,
        "box_span": some.sampled_from(["frame", "sequence"]),
        "box_jitter": NUMBERS,
        "sigma_visible": some.none() | NUMBERS,
        "sigma_occluded": some.none() | NUMBERS,
        "workers": some.none() | some.integers(1, 256),
        "scheduler": some.none() | TEXT,
        "skip_bad": some.booleans(),
        "overwrite": some.booleans(),
        "dry_run": some.booleans(),
    }
)


@settings(deadline=None)
@given(values=VALUES)
def test_whatever_is_written_is_read_again(values: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        again = from_file(Path(folder), to_yaml(config_of(BUILD, values)))
    assert again == values | {"as_json": False, "quiet": False}


BAD = {
    "unknown key": ("sigma-st: fixed", "sigma-st: expected one of dataset, .*, found 'sigma-st'; did you mean 'sigma-"),
    "unlike any key": ("xyzzy: 1", "xyzzy: expected one of dataset, .*dry-run, found 'xyzzy'$"),
    "name of a parameter": ("sigmas: fixed", "sigmas: expected one of .*; did you mean 'sigma-set'"),
    "option that steers output": ("json: true", "json: expected one of "),
    "config in a config": ("config: other.yaml", "config: expected one of "),
    "same key twice": ("k: 1\nseed: 1\nk: 2", "k: expected once, found twice"),
    "key in both spellings": ("sigma-set: fixed\nsigma_set: random", "sigma_set: expected once, found twice"),
    "key first without a value": ("k:\nk: 2", "k: expected once, found twice"),
    "no number": ("k: two", "k: 'two' is not a valid float"),
    "infinite sigma": ("sigma-set: [1, inf]", r"sigma-set: '1,inf': expected random, fixed or numbers"),
    "fraction for a whole number": ("seed: 1.5", "seed: '1.5' is not a valid"),
    "truth for a number": ("k: true", "k: 'true' is not a valid float"),
    "out of range": ("workers: 0", "workers: 0 is not in the range"),
    "no such choice": ("split: random", "split: 'random' is not one of 'video', 'official', 'held-out'"),
    "no such dataset": ("dataset: [brace, bracy]", "dataset: 'bracy': expected one of brace, "),
    "text for a flag": ("skip-bad: perhaps", "skip-bad: 'perhaps' is not a valid boolean"),
    "list for one value": ("out: [a, b]", "out: expected one value, found a list of 2"),
    "list for a flag": ("dry-run: [true]", "dry-run: expected one value, found a list of 1"),
    "mapping for one value": ("k: {a: 1}", "k: expected one value, found a list of 1"),
    "line break": ('out: "a\\nb"', r"out: expected one line of text, found 'a\\nb'"),
    "null character": ('out: "a\\0b"', r"out: expected one line of text, found 'a\\x00b'"),
    "half a character": ('out: "\\ud800"', r"out: expected one line of text, found '\\ud800'"),
    "credentials": ("scheduler: tcp://me:hushhush@host:1", r"scheduler: tcp://\*\*\*@host:1: expected a URL without"),
    "empty": ("", "found an empty file"),
    "comments only": ("# k: 2\n", "found an empty file"),
    "a list": ("- k: 2", "found a list$"),
    "text": ("posedata build", "found text alone$"),
    "two documents": ("k: 1\n---\nk: 2", "a fault in line 2: but found another document"),
    "no YAML": ("k: 1: 2", "a fault in line 1: mapping values are not allowed"),
    "cut": ("raw: {brace: a", "a fault in line 1: expected ',' or '}'"),
    "tab": ("raw:\n\tbrace: a", "a fault in line 2: "),
    "binary": ("k: \x07", "unacceptable character #x0007"),
    "character beyond the last": ('out: "\\Uffffffff"', "expected YAML with lines like `seed: 1`"),
    "endless version": (f"%YAML {'9' * 5000}.1\n---\nk: 1", "expected YAML with lines like `seed: 1`"),
    "list in a list": ("dataset: [[brace]]", "found a list in a list in line 1"),
    "deep": ("[" * 60_000, "found a list in a list in line 1"),
    "empty item": ("seed: 1\ndataset: [brace, null]", "found nothing where text or a number belongs in line 2"),
    "list as a key": ("? [k]\n: 1", "found a list where text or a number belongs in line 1"),
    "object": ("k: !!python/object/apply:os.mkdir [hacked]", "found an anchor, alias or tag in line 1"),
    "tag": ("seed: 1\nk: !!float 2", "found an anchor, alias or tag in line 2"),
    "bomb": ("a: &a [x, x]\nb: &b [*a, *a]\nk: [*b, *b]", "found an anchor, alias or tag in line 1"),
    "merge": ("<<: {k: 2}", "<<: expected one of "),
    "too large": ("#" * MOST_BYTES + "\nk: 1", f"expected a file of at most {MOST_BYTES:,} bytes"),
}


@pytest.mark.parametrize("name", BAD)
def test_faults_are_told_with_file_and_key(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text, words = BAD[name]
    with pytest.raises(BadInputError) as caught:
        from_file(tmp_path, text)
    assert len(caught.value.faults) == 1
    assert re.match(f"{re.escape(str(tmp_path / 'b.yaml'))}: .*{words}", caught.value.faults[0])
    assert "\n" not in caught.value.faults[0]
    assert len(caught.value.faults[0]) < 600
    assert "hush" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["b.yaml"]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.yaml: expected a readable UTF-8 file, found FileNotFoundError"):
        parsed("--config", tmp_path / "none.yaml")
    with pytest.raises(BadInputError, match="expected a regular file"):
        parsed("--config", tmp_path)
    (tmp_path / "b.yaml").write_bytes(b"out: \xff")
    with pytest.raises(BadInputError, match="expected a UTF-8 file, found another byte at 5; save it"):
        parsed("--config", tmp_path / "b.yaml")


def test_all_faults_are_told_at_once_even_where_others_are_typed(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        from_file(tmp_path, "k: x\nsed: 1\nfps: fast", "--k", "1", "--fps", "2")
    keys = [fault.split(": ")[1] for fault in caught.value.faults]
    assert keys == ["k", "sed", "fps"]


def test_errors_of_values_are_told_of_the_file_they_stand_in(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text("k: -1\nsigma-set: [1, 2]\nraw: a")
    context = BUILD.make_context("build", ["--config", str(path), "--seed", "1"])
    both = of_file(ChoiceError("--k: too low", "sigma_set: odd", "--raw 'a': what", "--k, --raw: no"), path, context)
    assert type(both) is BadInputError
    assert both.faults == tuple(
        f"{path}: {fault}" for fault in ("k: too low", "sigma-set: odd", "raw 'a': what", "k, raw: no")
    )
    mixed = of_file(ChoiceError("--k: too low", "--seed: odd", "--k, --seed: no", "k"), path, context)
    assert type(mixed) is ChoiceError
    assert mixed.faults == (f"{path}: k: too low", "--seed: odd", "--k, --seed: no", f"{path}: k: ")


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    """Only faults of what was asked for can be the file's."""
    path = tmp_path / "b.yaml"
    path.write_text("k: 1")

    @click.command()
    @click.option("--k", type=float)
    @arguments.config_options()
    def command(k: float, show_config: bool) -> None:
        raise ConflictError("--k: taken")

    with pytest.raises(ConflictError, match=r"^--k: taken"):
        command.main(["--config", str(path)], standalone_mode=False)


def test_a_build_from_a_file_is_that_of_the_options(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    raw = raw_trees["speed21"]
    (tmp_path / "b.yaml").write_text(
        f"dataset: speed21\nraw: {{speed21: {raw}}}\nk: 2\nsigma-set: [1, 2]\nsigma_per: sequence\nout: a.zarr\nseed: 9"
    )
    typed = ("--dataset", "speed21", "--raw", raw, "--k", 2, "--sigma-set", "1,2", "--sigma-per", "sequence")
    line = ("posedata", "build", "--json", "--quiet")
    built = command(*line, "--config", "b.yaml", "--seed", 0)
    told, plain = (json.loads(done.stdout) for done in (built, command(*line, *typed, "--out", "b.zarr")))
    assert built.stderr == ""
    assert told["recipe"] == plain["recipe"]
    assert told["content_digest"] == plain["content_digest"]
    assert (told["recipe"]["seed"], told["store"]) == (0, "a.zarr")


def test_show_config_prints_everything_and_does_nothing_else(command: Run, tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("dataset: [brace, penn-action]\nraw: {brace: x}\nsigma-set: fixed\nseed: 4")
    line = ("posedata", "build", "--config", "b.yaml", "--k", 2, "--show-config")
    told = shown(command(*line))
    assert told == {
        "dataset": ["brace", "penn_action"],
        "recipe": None,
        "raw": ["brace=x"],
        "out": None,
        "k": 2.0,
        "sigma-set": [1.0],
        "sigma-per": "frame",
        "noise": None,
        "actions": None,
        "torso": None,
        "split": "video",
        "split-span": 5,
        "seed": 4,
        "fps": None,
        "box-span": "frame",
        "box-jitter": 0.0,
        "sigma-visible": None,
        "sigma-occluded": None,
        "workers": None,
        "scheduler": None,
        "skip-bad": False,
        "overwrite": False,
        "dry-run": False,
    }
    assert json.loads(command(*line, "--json").stdout) == told
    assert [path.name for path in tmp_path.iterdir()] == ["b.yaml"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("--dataset", "brace"), {"k": 1.0, "sigma-set": RANDOM, "split": "video"}),
        (("--dataset", "climbalong"), {"k": None, "sigma-set": None, "sigma-per": None, "split": "held-out"}),
        (
            ("--dataset", "brace", "--noise", "n.json"),
            {"noise": None, "k": 1.037, "sigma-set": [1.0, 1.9], "sigma-per": "keypoint"},
        ),
        (("--recipe", "m.json", "--out", "s.zarr"), {"recipe": "m.json", "k": None, "dataset": None, "split": None}),
        (("--dataset", "penn_action", "--actions", "a,b", "--torso", "1e-05"), {"actions": "a,b", "torso": 1e-05}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_shown_gives_the_same_again(
    typed: tuple[str, ...], expected: dict[str, Any], command: Run, tmp_path: Path
) -> None:
    write_noise(tmp_path / "n.json", Noise(k=1.037, sigmas=(1.0, 1.9), sigma_per="keypoint"), {}, overwrite=False)
    once = command("posedata", "build", *typed, "--show-config")
    assert shown(once).items() >= expected.items()
    (tmp_path / "again.yaml").write_text(once.stdout)
    again = command("posedata", "build", "--config", "again.yaml", "--show-config")
    assert (again.returncode, again.stdout) == (0, once.stdout)


def test_what_is_shown_builds_the_same_store(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    typed = ("--dataset", "climbalong", "--raw", raw_trees["climbalong"], "--split-span", 9)
    (tmp_path / "b.yaml").write_text(command("posedata", "build", *typed, "--show-config").stdout)
    plain = json.loads(command("posedata", "build", *typed, "--dry-run", "--json").stdout)
    told = json.loads(command("posedata", "build", "--config", "b.yaml", "--dry-run", "--json").stdout)
    assert (told["store"], told["recipe"]) == (plain["store"], plain["recipe"])


@pytest.mark.parametrize("show", [(), ("--show-config",)], ids=["build", "show"])
@pytest.mark.parametrize(
    ("text", "typed", "code", "message"),
    [
        ("sigma-st: fixed", (), 3, "b.yaml: sigma-st: expected one of .*did you mean 'sigma-set'"),
        ("k: -1", ("--dataset", "brace"), 3, "b.yaml: k: .*greater than or equal to 0, found -1"),
        ("dataset: []", (), 3, "b.yaml: dataset: expected one of "),
        ("k: 2", ("--recipe", "m.json"), 2, "--recipe: expected nothing else that says what to build, found --k"),
        ("recipe: m.json\nseed: 2", (), 3, "b.yaml: recipe: expected nothing else .*, found --seed"),
        ("k: 1", ("--dataset", "climbalong"), 3, "b.yaml: k: expected with noisy input only"),
        ("k: 1", ("--dataset", "brace", "--noise", "n.json"), 2, "--noise: expected without --k, which n.json tells"),
        ("workers: 2", ("--dataset", "brace", "--scheduler", "tcp://h:1"), 3, "b.yaml: workers: expected without"),
    ],
)
def test_faults_of_a_file_have_one_clear_line(
    text: str, typed: tuple[str, ...], code: int, message: str, show: tuple[str, ...], command: Run, tmp_path: Path
) -> None:
    (tmp_path / "b.yaml").write_text(text)
    (tmp_path / "home" / "raw" / "brace").mkdir(parents=True)
    done = command("posedata", "build", "--config", "b.yaml", *typed, *show)
    assert (done.returncode, done.stdout) == (code, "")
    assert re.fullmatch(f"error: {message}.*\n", done.stderr), done.stderr


def test_the_example_of_the_guide_works(command: Run, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(# build\.yaml.*?)```", GUIDE.read_text(), re.DOTALL)
    (tmp_path / "build.yaml").write_text(example)
    told = shown(command("posedata", "build", "--config", "build.yaml", "--show-config"))
    assert told["dataset"] == ["brace", "penn_action"]
    assert told["actions"] == "baseball_pitch,bench_press"
    assert told["raw"] == ["penn_action=annotations/Penn_Action"]
    assert (told["k"], told["sigma-set"], told["out"]) == (2.0, RANDOM, "pretraining-k2.zarr")
