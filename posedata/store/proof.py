"""The files of a store against its manifest."""

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from posedata.files import sha256_file
from posedata.manifest import MANIFEST_NAME, Manifest, StoreFile, relative_files
from posedata.progress import Progress
from posedata.store.allowed import Problem
from posedata.store.kinds import KINDS


def file_problems(path: Path, manifest: Manifest, mirrored: bool) -> Iterator[Problem]:
    """Files that are not what the manifest says; of a mirror some may be missing or half there."""
    kind = KINDS.get(manifest.kind)
    if kind is None or manifest.format_version != kind.version:
        meant = KINDS if kind is None else {manifest.kind: kind}
        known = " or ".join(f"{name} version {each.version}" for name, each in meant.items())
        yield Problem(MANIFEST_NAME, f"expected {known}, found {manifest.kind} version {manifest.format_version}")
    expected = {file.path: file for file in manifest.files}
    present = relative_files(path)
    for name in sorted(expected.keys() - present.keys()):
        if not mirrored:
            yield Problem(name, "expected by the manifest, found missing")
    for name in sorted(present.keys() - expected.keys()):
        if mirrored and name.endswith(".part"):
            continue
        yield Problem(name, "expected no such file, found one that the manifest does not list")
    for name in sorted(expected.keys() & present.keys()):
        found = present[name].lstat()
        if not stat.S_ISREG(found.st_mode):
            yield Problem(name, "expected a plain file, found a link or a device")
        elif not mirrored and found.st_size != expected[name].size:
            yield Problem(name, f"expected {expected[name].size} bytes, found {found.st_size}")


def hash_problems(path: Path, files: Sequence[StoreFile], progress: Progress) -> list[Problem]:
    """Files whose bytes are not those of the manifest."""
    problems = []
    with progress("hashing", sum(file.size for file in files), "bytes") as advance:
        for file in files:
            try:
                if sha256_file(path / file.path) != file.sha256:
                    problems.append(Problem(file.path, f"expected sha256 {file.sha256}, found another: it is damaged"))
            except FileNotFoundError:
                problems.append(Problem(file.path, "expected by the manifest, found missing"))
            advance(file.size)
    return problems
