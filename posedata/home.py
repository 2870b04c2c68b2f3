"""The data home: where stores are found by name."""

import os
from difflib import get_close_matches
from pathlib import Path

from posedata.errors import BadInputError, IntegrityError
from posedata.manifest import MANIFEST_NAME, read_manifest


def data_home() -> Path:
    """$POSEDATA_HOME, by default `data`: raw/, stores/ and runs/ live there."""
    return Path(os.environ.get("POSEDATA_HOME") or "data")


def stores_in_home() -> list[Path]:
    """The stores of the data home, the newest last."""
    manifests = (data_home() / "stores").glob(f"*/{MANIFEST_NAME}")
    return [path.parent for path in sorted(manifests, key=lambda path: path.stat().st_mtime)]


def find_store(given: Path | str | None, *kinds: str) -> Path:
    """The store at a path or of that name in the data home; None = the newest there.

    Of a published store, COLLECTION/NAME, there is a mirror to which files come when they are read.

    Args:
        given: a path, name or URL.
        kinds: of the newest; none = any. A store that is named may be of another: whoever opens it looks.

    Raises:
        BadInputError: if there is none; the message says how to make one.
        RemoteError: if it is published, and the place fails.
    """
    from posedata.sharing.mirror import mirror

    if "://" in str(given or ""):
        return mirror(str(given))
    given = Path(given) if given else None
    stores = data_home() / "stores"
    if given is None:
        found = [path for path in stores_in_home() if not kinds or _kind(path) in (*kinds, None)]
        if not found:
            wanted = f" of kind {' or '.join(kinds)}" if kinds else ""
            dataset = _giving(kinds[0] if kinds else None)
            raise BadInputError(
                f"{stores}: expected a store{wanted}, found none; make one: "
                f"posedata sample {dataset} && posedata build --dataset {dataset}"
            )
        return found[-1]
    there = [path for path in (given, stores / given, stores / f"{given}.zarr") if path.exists()]
    if there:
        # A folder that happens to have the name of a store is not what is meant.
        return next((path for path in there if not is_stray(path)), there[0])
    if given.with_name(f"{given.name}.json").is_file():
        return mirror(str(given.absolute()))
    near = get_close_matches(given.name, [path.stem for path in stores_in_home()], 1)
    advice = f"is it {near[0]}?" if near else "make one with posedata build"
    raise BadInputError(f"{given}: expected a store there or in {stores}, found none; {advice}")


def is_stray(path: Path) -> bool:
    """Whether something is there that has nothing of a store, be it complete or not."""
    return path.exists() and not any((path / name).exists() for name in ("zarr.json", MANIFEST_NAME))


def _giving(kind: str | None) -> str:
    """A dataset that gives stores of a kind; None = any."""
    from posedata.families import FAMILIES

    return next((name for family in FAMILIES if family.kind == kind for name in family.datasets), "brace")


def _kind(path: Path) -> str | None:
    """The kind of a store; None where its manifest does not say, which whoever opens it will tell."""
    try:
        return read_manifest(path).kind
    except IntegrityError:
        return None
