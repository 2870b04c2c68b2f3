"""The installed command `posedata`, from outside."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

NAMES = ("brace", "climbalong", "penn_action", "speed21")
STORE_KEYS = {
    "store",
    "kind",
    "frames",
    "sequences",
    "windows_total",
    "windows",
    "annotated_keypoints",
    "empty_frames",
    "skipped",
    "mean_torso_diameter",
    "shift_std",
    "bytes",
    "content_digest",
}


@pytest.mark.parametrize("name", NAMES)
def test_sample_build_info_verify_with_json(name: str, command: Run, tmp_path: Path) -> None:
    size = ("--sequences", 3, "--frames", 12)
    steps = {
        "sample": ("sample", name, *size, "--json"),
        "build": ("build", "--dataset", name, "--out", "s.zarr", "--json"),
        "info": ("info", "s.zarr", "--json"),
        "verify": ("verify", "s.zarr", "--json"),
    }
    told = {}
    for step, arguments in steps.items():
        done = command("posedata", *arguments)
        assert done.returncode == 0, done.stderr
        told[step] = json.loads(done.stdout)
    assert told["sample"]["path"] == str(tmp_path / "home" / "raw" / name)
    assert told["sample"]["synthetic"] is True
    assert told["build"].keys() >= STORE_KEYS | {"seconds"}
    assert told["info"].keys() >= STORE_KEYS
    assert told["info"] == {key: value for key, value in told["build"].items() if key != "seconds"}
    assert (told["info"]["sequences"], told["info"]["store"]) == (3, "s.zarr")
    listed = json.loads((tmp_path / "s.zarr" / "manifest.json").read_text())["files"]
    assert told["verify"] == {"ok": True, "files": len(listed), "problems": []}


def test_build_and_info_as_text(command: Run) -> None:
    sampled = command("posedata", "sample", "brace", "--sequences", 4, "--frames", 30)
    assert sampled.returncode == 0
    assert Path(sampled.stdout.strip()).is_dir()
    built = command("posedata", "build", "--dataset", "brace")
    told = command("posedata", "info", "home/stores/brace-k1-random.zarr")
    checked = command("posedata", "verify", "home/stores/brace-k1-random.zarr")
    for done in (built, told):
        assert done.returncode == 0
        rows = dict(line.split(None, 1) for line in done.stdout.splitlines())
        assert rows["sequences"] == "4"
        assert "(synthetic)" in rows["kind"]
        assert re.fullmatch("[0-9a-f]{64}", rows["digest"])
    assert "reading brace: 4 files\nwriting: " in built.stderr
    assert "files" not in built.stdout
    assert checked.stdout.startswith("home/stores/brace-k1-random.zarr: ok, ")


def test_quiet_is_silent_on_stderr(command: Run) -> None:
    for arguments in (
        ("sample", "speed21", "--sequences", 3, "--frames", 12),
        ("build", "--dataset", "speed21", "--out", "s.zarr"),
        ("info", "s.zarr"),
        ("verify", "s.zarr"),
    ):
        done = command("posedata", *arguments, "--quiet")
        assert (done.returncode, done.stderr) == (0, ""), arguments
        assert done.stdout


def test_the_short_line_works_once_the_data_is_there(command: Run, tmp_path: Path) -> None:
    line = ("posedata", "build", "--dataset", "brace", "--k", 2, "--sigma-set", "random")
    without = command(*line)
    assert without.returncode == 3
    assert without.stderr.startswith("error: ")
    for word in (str(tmp_path / "home" / "raw" / "brace"), "github.com/dmoltisanti/brace", "posedata sample brace"):
        assert word in without.stderr
    assert not (tmp_path / "home").exists()
    assert command("posedata", "sample", "brace", "--sequences", 2, "--frames", 30).returncode == 0
    assert command(*line).returncode == 0
    assert [p.name for p in (tmp_path / "home" / "stores").iterdir()] == ["brace-k2-random.zarr"]


def test_the_home_is_data_unless_set(command: Run, tmp_path: Path) -> None:
    done = command("posedata", "sample", "speed21", "--sequences", 1, "--frames", 10, POSEDATA_HOME="")
    assert done.stdout == "data/raw/speed21\n"
    assert (tmp_path / "data" / "raw" / "speed21" / "SYNTHETIC.txt").is_file()


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        (["--k", "0.5", "--sigma-set", "fixed"], r"speed21-k0\.5-fixed\.zarr"),
        (["--sigma-set", "3,1,2"], r"speed21-k1-1,2,3\.zarr"),
        (["--seed", "7"], r"speed21-k1-random-[0-9a-f]{8}\.zarr"),
        (["--torso", "12", "--sigma-per", "keypoint"], r"speed21-k1-random-[0-9a-f]{8}\.zarr"),
        (["--dataset", "penn-action", "--actions", "situp"], r"penn_action\+speed21-k1-random-[0-9a-f]{8}\.zarr"),
    ],
    ids=lambda value: "",
)
def test_default_names_of_stores(
    options: list[str], pattern: str, command: Run, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "raw").symlink_to(raw_trees["speed21"].parent)
    done = command("posedata", "build", "--dataset", "speed21", *options, "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    store = Path(json.loads(done.stdout)["store"])
    assert store.parent == tmp_path / "home" / "stores"
    assert re.fullmatch(pattern, store.name)
    assert not store.parent.exists()


def test_a_dry_run_prints_and_writes_nothing(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    done = command("posedata", "build", "--dataset", "penn_action", "--raw", raw_trees["penn_action"], "--dry-run")
    assert done.returncode == 0
    assert "digest      none" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_skip_bad_goes_on_and_says_so(command: Run, copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("penn_action")
    (root / "labels" / "0003.mat").write_bytes(b"garbage" * 100)
    line = ("posedata", "build", "--dataset", "penn_action", "--raw", root, "--out", "s.zarr")
    refused = command(*line)
    assert refused.returncode == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw"]
    done = command(*line, "--skip-bad")
    assert done.returncode == 0
    assert "left out: penn_action/0003: labels/0003.mat: " in done.stderr
    told = json.loads(command("posedata", "info", "s.zarr", "--json").stdout)
    assert [s["item"] for s in told["skipped"] if "MATLAB" in s["reason"]] == ["penn_action/0003"]
    assert told["sequences"] == 11


def garble(path: Path, at: int = 0) -> None:
    """Other bytes, the same size."""
    data = bytearray(path.read_bytes())
    data[at : at + 8] = bytes(byte ^ 0x55 for byte in data[at : at + 8])
    path.write_bytes(data)


def shard(store: Path) -> Path:
    return store / "input_heatmaps" / "c" / "0" / "0" / "0" / "0"


STORE_FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no manifest": (lambda s: (s / "manifest.json").unlink(), "manifest.json"),
    "manifest cut": (lambda s: os.truncate(s / "manifest.json", 200), "manifest.json"),
    "manifest empty": (lambda s: os.truncate(s / "manifest.json", 0), "manifest.json"),
    "file missing": (lambda s: shard(s).unlink(), "input_heatmaps/c/0/0/0/0: .*missing"),
    "file cut": (lambda s: os.truncate(shard(s), 1000), "input_heatmaps/c/0/0/0/0: .*bytes"),
    "file emptied": (lambda s: os.truncate(shard(s), 0), "input_heatmaps/c/0/0/0/0: .*bytes"),
    "file too many": (lambda s: (s / "notes.txt").touch(), "notes.txt"),
    "link": (lambda s: (shard(s).rename(s.parent / "away"), shard(s).symlink_to(s.parent / "away")), "link"),
    "root garbled": (lambda s: garble(s / "zarr.json"), "zarr.json"),
    "attribute renamed": (
        lambda s: (s / "zarr.json").write_text((s / "zarr.json").read_text().replace('"counts"', '"countz"', 1)),
        "zarr.json",
    ),
}


@pytest.fixture
def damaged(stores: dict[str, Path], tmp_path: Path) -> Path:
    """A store that a test may damage."""
    return Path(shutil.copytree(stores["speed21"], tmp_path / "s.zarr"))


def assert_fails(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The code, the words, one line a fault, no traceback, nothing on stdout."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.splitlines()
    faults = [line for line in lines if not re.fullmatch(r"(reading|writing|hashing)[\w ]*: [\d,]+ \w+", line)]
    assert faults
    assert all(line.startswith("error: ") for line in faults), done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert re.search(word, done.stderr), done.stderr


@pytest.mark.parametrize("fault", STORE_FAULTS)
def test_a_damaged_store_is_code_4(fault: str, command: Run, damaged: Path) -> None:
    harm, word = STORE_FAULTS[fault]
    harm(damaged)
    for arguments in (("info", damaged), ("verify", damaged)):
        done = command("posedata", *arguments)
        assert_fails(done, 4, word)


@pytest.mark.parametrize("path", ["input_heatmaps/c/0/0/0/0", "target_points/zarr.json", "annotated/c/0/0"])
def test_verify_finds_changed_bytes(path: str, command: Run, damaged: Path) -> None:
    garble(damaged / path, at=20)
    done = command("posedata", "verify", damaged, "--json")
    assert done.returncode == 4
    told = json.loads(done.stdout)
    assert told["ok"] is False
    assert [problem.keys() for problem in told["problems"]] == [{"file", "problem"}]
    assert told["problems"][0]["file"] == path


def test_verify_quick_reads_no_heatmaps(command: Run, damaged: Path) -> None:
    garble(shard(damaged), at=20)
    assert command("posedata", "verify", damaged, "--quick").returncode == 0
    shard(damaged).unlink()
    assert_fails(command("posedata", "verify", damaged, "--quick"), 4, "missing")


DATASETS = "brace, climbalong, coco, human36m, keypoints, penn_action, speed21"

USAGE = {
    "no dataset": (["build"], "--dataset"),
    "unknown dataset": (["build", "--dataset", "h36m"], DATASETS),
    "unknown sample": (["sample", "h36m"], DATASETS.replace("human36m", "film, human36m")),
    "a sample that is none": (["build", "--dataset", "film"], DATASETS),
    "unknown command": (["bulid"], "bulid"),
    "unknown option": (["build", "--dataset", "brace", "--sigmas", "1"], "--sigma"),
    "sigma words": (["build", "--dataset", "brace", "--sigma-set", "wild"], "random, fixed"),
    "sigma zero": (["build", "--dataset", "brace", "--sigma-set", "0,1"], "--sigma-set"),
    "sigma twice": (["build", "--dataset", "brace", "--sigma-set", "1,1"], "--sigma-set"),
    "k negative": (["build", "--dataset", "brace", "--k", "-1"], "k"),
    "k nan": (["build", "--dataset", "brace", "--k", "nan"], "k"),
    "workers": (["build", "--dataset", "brace", "--workers", "0"], "workers"),
    "split": (["build", "--dataset", "brace", "--split", "random"], "video.*official.*held-out"),
    "two kinds": (["build", "--dataset", "brace", "--dataset", "climbalong"], "two stores|detector"),
    "noise for a detector": (["build", "--dataset", "climbalong", "--k", "2"], "--k"),
    "segments": (["sample", "speed21", "--segments", "x.csv"], "brace"),
    "few frames": (["sample", "speed21", "--frames", "1"], "frames"),
    "no store": (["info"], "STORE"),
}


@pytest.mark.parametrize("fault", USAGE)
def test_usage_is_code_2(fault: str, command: Run, tmp_path: Path) -> None:
    for dataset in NAMES:
        (tmp_path / "home" / "raw" / dataset).mkdir(parents=True)
    arguments, word = USAGE[fault]
    assert_fails(command("posedata", *arguments), 2, word)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_the_bare_command_shows_its_help(command: Run) -> None:
    done = command("posedata")
    assert done.returncode == 2
    assert "Usage: posedata" in done.stdout + done.stderr
    assert not any(line.startswith("error: Usage") for line in done.stderr.splitlines())


BAD_INPUT = {
    "no raw data": (["build", "--dataset", "speed21"], "posedata sample speed21"),
    "no such tree": (["build", "--dataset", "speed21", "--raw", "nowhere"], "nowhere"),
    "tree of another": (["build", "--dataset", "speed21", "--raw", "empty"], "skeletons"),
    "no store for info": (["info", "nowhere.zarr"], "nowhere.zarr"),
    "no store to verify": (["verify", "nowhere.zarr"], "nowhere.zarr"),
    "no segments": (["sample", "brace", "--segments", "none.csv"], "none.csv"),
}


@pytest.mark.parametrize("fault", BAD_INPUT)
def test_bad_input_is_code_3(fault: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    arguments, word = BAD_INPUT[fault]
    assert_fails(command("posedata", *arguments), 3, word)
    # A home may be made; nothing may be in it.
    assert [p.name for p in tmp_path.rglob("*") if p.is_file() or p.suffix] == []


@pytest.mark.parametrize("name", ["info", "verify"])
def test_a_file_or_an_empty_folder_is_no_store(name: str, command: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    assert_fails(command("posedata", name, "folder"), 4, "manifest.json")
    done = command("posedata", name, "file")
    assert done.returncode in (3, 4)
    assert_fails(done, done.returncode, "file")


def test_what_is_taken_is_code_6(command: Run, damaged: Path, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out")
    before = (damaged / "manifest.json").read_bytes()
    assert_fails(command(*line, damaged), 6, "--overwrite")
    assert (damaged / "manifest.json").read_bytes() == before
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").touch()
    assert_fails(command(*line, "thesis", "--overwrite"), 6, "thesis")
    assert_fails(command("posedata", "sample", "speed21", "--out", "thesis"), 6, "thesis.*--out")
    assert [p.name for p in (tmp_path / "thesis").iterdir()] == ["chapter1"]
    assert command(*line, damaged, "--overwrite").returncode == 0


def test_the_bare_name_of_a_store_is_no_place_for_another(command: Run, raw_trees: dict[str, Path]) -> None:
    """Commands would find the new one by that name, but from this folder alone."""
    line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out")
    assert command(*line, "home/stores/runs.zarr").returncode == 0
    assert_fails(command(*line, "runs"), 2, "runs: expected a path, or a name that no store in .* give runs.zarr")
    assert command(*line, "runs.zarr").returncode == 0
    assert command(*line, "other").returncode == 0
    assert command(*line, "./runs").returncode == 0


def test_a_second_builder_is_code_6(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    stage = tmp_path / ".s.zarr.building"
    stage.mkdir()
    handle = os.open(stage, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out", "s.zarr")
        assert_fails(command(*line), 6, "another process")
    finally:
        os.close(handle)
    assert not (tmp_path / "s.zarr").exists()


def test_help_comes_within_half_a_second(command: Run) -> None:
    def once() -> float:
        begin = time.perf_counter()
        assert command("posedata", "--help").returncode == 0
        return time.perf_counter() - begin

    assert min(once() for _ in range(5)) < 0.5


@pytest.mark.parametrize("name", ["sample", "build", "info", "verify"])
def test_help_names_the_options_that_commands_share(name: str, command: Run) -> None:
    done = command("posedata", name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--json" in done.stdout
    assert "--quiet" in done.stdout


def test_version(command: Run) -> None:
    from posedata import __version__

    assert command("posedata", "--version").stdout.split()[-1] == __version__


@pytest.fixture(scope="module")
def long_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree that takes a build some seconds."""
    from posedata.samples import write_sample

    root = tmp_path_factory.mktemp("long") / "speed21"
    write_sample("speed21", root, sequences=10, frames=3000)
    return root


@pytest.mark.parametrize("stage", ["spool/points", "store/target_heatmaps/c"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_during_a_build_leaves_nothing(
    number: signal.Signals, code: int, stage: str, long_tree: Path, tmp_path: Path
) -> None:
    posedata = Path(sys.executable).parent / "posedata"
    out = tmp_path / "stores" / "a.zarr"
    out.parent.mkdir()
    line = [posedata, "build", "--dataset", "speed21", "--raw", long_tree, "--out", out]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        deadline = time.monotonic() + 60
        while not (out.parent / ".a.zarr.building" / stage).exists():
            assert process.poll() is None, "the build was over before it could be interrupted"
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert stdout == ""
    assert "error: " in stderr
    assert "Traceback" not in stderr
    assert list(out.parent.iterdir()) == []


def test_build_resamples(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    line = ("posedata", "build", "--dataset", "keypoints", "--raw", raw_trees["keypoints"], "--fps", "10")
    done = command(*line, "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["recipe"]["fps"] == 10.0
    assert re.fullmatch(r"keypoints-k1-random-[0-9a-f]{8}\.zarr", Path(told["store"]).name)
    info = command("posedata", "info", told["store"])
    assert re.search(r"^datasets +keypoints, at 10 frames a second$", info.stdout, re.MULTILINE)


def test_build_jitters_boxes_and_rebuilds_them(command: Run, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    line = ("posedata", "build", "--dataset", "brace", "--raw", raw_trees["brace"], "--box-jitter", "0.05")
    done = command(*line, "--json", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["recipe"]["box_jitter"] == 0.05
    assert [w for w in told["warnings"] if w.startswith("--box-jitter 0.05 moved ")]
    info = command("posedata", "info", told["store"])
    assert re.search(r"^boxes +off by 0\.05 of their side$", info.stdout, re.MULTILINE)
    assert '"box_jitter": 0.05' in (Path(told["store"]) / "README.md").read_text()

    (tmp_path / "brace.json").write_text(command("posedata", "manifest", told["store"]).stdout)
    again = command(
        *("posedata", "build", "--recipe", "brace.json", "--raw", raw_trees["brace"], "--out", "again.zarr", "--json")
    )
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["differences"] == []
    assert json.loads(again.stdout)["content_digest"] == told["content_digest"]


def test_build_puts_one_box_around_a_sequence(command: Run, raw_trees: dict[str, Path]) -> None:
    line = ("posedata", "build", "--dataset", "brace", "--raw", raw_trees["brace"], "--box-span", "sequence")
    done = command(*line, "--quiet")
    assert re.search(r"^boxes +one a sequence$", done.stdout, re.MULTILINE)
    refused = command("posedata", "build", "--dataset", "climbalong", "--raw", raw_trees["climbalong"], *line[-2:])
    assert refused.returncode == 2
    assert "--box-span: expected with annotations only" in refused.stderr


@pytest.mark.parametrize(
    ("name", "share", "word"),
    [
        ("climbalong", "0.05", "--box-jitter: expected with annotations only; the boxes of climbalong"),
        ("brace", "0.6", "--box-jitter: expected less than or equal to 0.5, found 0.6"),
        ("brace", "-0.1", "--box-jitter: "),
        ("brace", "nan", "--box-jitter: "),
        ("brace", "wide", "--box-jitter"),
    ],
)
def test_boxes_that_cannot_be_jittered_are_told(
    name: str, share: str, word: str, command: Run, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    line = ("posedata", "build", "--dataset", name, "--raw", raw_trees[name], "--box-jitter", share, "--out", "s.zarr")
    done = command(*line, "--quiet")
    assert done.returncode == 2
    assert re.search(f"^error: .*{re.escape(word)}", done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("name", "fps", "code", "word"),
    [
        ("penn_action", "25", 3, "penn_action/0001: fps: expected a known frame rate"),
        ("climbalong", "25", 2, "--fps: .*cannot be resampled"),
        ("brace", "0", 2, "--fps: "),
        ("brace", "fast", 2, "--fps"),
    ],
)
def test_what_cannot_be_resampled_is_told(
    name: str, fps: str, code: int, word: str, command: Run, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    line = ("posedata", "build", "--dataset", name, "--raw", raw_trees[name], "--fps", fps, "--out", "s.zarr", "-q")
    done = command(*line)
    assert done.returncode == code
    assert re.search(f"^error: .*{word}", done.stderr)
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == []
