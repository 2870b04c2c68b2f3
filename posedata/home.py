"""The data home: where stores are found by name."""

import os
from pathlib import Path

from posedata.errors import BadInputError
from posedata.manifest import MANIFEST_NAME


def data_home() -> Path:
    """$POSEDATA_HOME, by default `data`: raw/, stores/ and runs/ live there."""
    return Path(os.environ.get("POSEDATA_HOME") or "data")


def stores_in_home() -> list[Path]:
    """The stores of the data home, the newest last."""
    manifests = (data_home() / "stores").glob(f"*/{MANIFEST_NAME}")
    return [path.parent for path in sorted(manifests, key=lambda path: path.stat().st_mtime)]


def find_store(given: Path | str | None) -> Path:
    """The store at a path or of that name in the data home; None = the newest there.

    Of a published store, COLLECTION/NAME, there is a mirror to which files come when they are read.

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
        found = stores_in_home()
        if not found:
            raise BadInputError(
                f"{stores}: expected a store, found none; make one: "
                "posedata sample brace && posedata build --dataset brace"
            )
        return found[-1]
    for path in (given, stores / given, stores / f"{given}.zarr"):
        if path.exists():
            return path
    if given.with_name(f"{given.name}.json").is_file():
        return mirror(str(given.absolute()))
    raise BadInputError(f"{given}: expected a store there or in {stores}, found none; make one with posedata build")
