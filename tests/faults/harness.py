"""What all faults share: a small store to break, commands to run, and the verdict on what is left."""

import atexit
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from zygote import Process, Zygote, run_anew

from posedata.manifest import MANIFEST_NAME, read_manifest
from posedata.store.opened import verify

HERE = Path(__file__).parent
SCRIPTS = Path(sysconfig.get_path("scripts"))
SECONDS = 120


@dataclass
class Outcome:
    """What came of one kind of fault.

    Attributes:
        fault: what was done.
        tries: how often.
        wrong: what should not have happened, a line each.
        note: what else there is to know.
    """

    fault: str
    tries: int = 0
    wrong: list[str] = field(default_factory=list)
    note: str = ""

    def expect(self, truth: bool, otherwise: str) -> None:
        """Take note of what went wrong."""
        if not truth:
            self.wrong.append(otherwise)


@dataclass(frozen=True)
class Bench:
    """A raw tree, and two stores made from it: what may be there before and after.

    Attributes:
        root: all lies below it.
        frames: of either store.
    """

    root: Path
    frames: int

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def new(self) -> Path:
        """The store that commands are asked for."""
        return self.root / "new.zarr"

    @property
    def old(self) -> Path:
        """A store of another recipe, to be replaced."""
        return self.root / "old.zarr"

    def build(self, out: Path, *more: str) -> list[str]:
        """The command that makes `new` at `out`."""
        return [posedata(), "build", "--dataset", "brace", "--raw", str(self.raw), "--out", str(out), "--quiet", *more]


def posedata() -> str:
    return str(SCRIPTS / "posedata")


def posetrain() -> str:
    return str(SCRIPTS / "posetrain")


def make_bench(root: Path, sequences: int = 8, frames: int = 1200) -> Bench:
    """A bench with stores of three files an array."""
    bench = Bench(root, sequences * frames)
    size = ("--sequences", str(sequences), "--frames", str(frames))
    check([posedata(), "sample", "brace", *size, "--out", str(bench.raw)])
    check(bench.build(bench.new))
    check(bench.build(bench.old, "--k", "2"))
    return bench


def check(command: Sequence[str], **extra: str) -> None:
    """Run a command that must succeed."""
    done = run(command, **extra)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


def run(command: Sequence[str], **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return zygote().run(command, Path.cwd(), **extra)


@cache
def zygote() -> Zygote:
    """The process of which commands are forks."""
    made = Zygote()
    atexit.register(made.close)
    return made


def seconds_of_build(bench: Bench, work: Path) -> float:
    """How long an undisturbed build takes, started as those are that will be disturbed."""
    begin = time.monotonic()
    run_anew(bench.build(work / "timed.zarr")).check_returncode()
    shutil.rmtree(work / "timed.zarr")
    return time.monotonic() - begin


class Instants:
    """Random instants at which commands of one kind are signalled.

    How long such a command lasts depends on what else runs: one that was through before its instant tells how long now.
    """

    def __init__(self, lasts: float, first: float, seed: int) -> None:
        """Instants from `first`, a share of the `lasts` seconds, to just behind their end."""
        self._lasts, self._first, self._chosen = lasts, first, random.Random(seed)

    def strike(self, process: Process | subprocess.Popen[bytes], number: signal.Signals, whole: bool = True) -> None:
        """Wait for an instant, and signal a process that runs until then; if `whole`, it does all there is to do."""
        begin = time.monotonic()
        try:
            process.wait(self._chosen.uniform(self._first, 1.1) * self._lasts)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        else:
            self._lasts = time.monotonic() - begin if whole else self._lasts


def enough(tries: int, landed: int, wanted: int) -> bool:
    """Whether so many were tried, and at least half of them hit a running command; true at last in any case."""
    return tries >= wanted and (2 * landed >= wanted or tries >= 10 * wanted)


def put_old(bench: Bench, target: Path) -> None:
    """A store that stands at the target before it is replaced."""
    shutil.copytree(bench.old, target)


def found(bench: Bench, target: Path) -> str:
    """What stands at the target: "nothing", "old", "new", or what is wrong with it."""
    if not target.exists():
        return "nothing"
    _, problems = verify(target)
    if problems:
        return f"damaged: {problems[0].file}: {problems[0].problem}"
    for name in ("old", "new"):
        if read_manifest(target).content_digest == read_manifest(getattr(bench, name)).content_digest:
            return name
    return "a store that nobody asked for"


def is_new(bench: Bench, target: Path) -> bool:
    """Whether the store is byte for byte the one that an undisturbed build makes."""
    return found(bench, target) == "new" and all(
        (target / name).read_bytes() == (bench.new / name).read_bytes()
        for name in (MANIFEST_NAME, *(file.path for file in read_manifest(bench.new).files))
    )


def left_over(target: Path) -> list[str]:
    """What stands beside the target and was made for it."""
    return [path.name for path in target.parent.glob(f".{target.name}*")]


def shim(folder: Path) -> Path:
    """The preloaded library that makes calls fail, compiled; raises if there is no compiler."""
    library = folder / "shim.so"
    if not library.exists():
        check(["gcc", "-O1", "-shared", "-fPIC", "-o", str(library), str(HERE / "shim.c"), "-ldl"])
    return library


def say(text: str) -> None:
    """To whoever looks on."""
    sys.stderr.write(f"{text}\n")
