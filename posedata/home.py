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

    Of a published store, given by its URL, there is a mirror to which files come when they are read.

    Raises:
        BadInputError: if there is none; the message says how to make one.
        RemoteError: if it is published, and the place fails.
    """
    if isinstance(given, str) and "://" in given:
        from posedata.sharing.mirror import mirror

        return mirror(given)
    stores = data_home() / "stores"
    if given is None:
        found = stores_in_home()
        if not found:
            raise BadInputError(
                f"{stores}: expected a store, found none; make one: "
                "posedata sample brace && posedata build --dataset brace"
            )
        return found[-1]
    for path in (Path(given), stores / given, stores / f"{given}.zarr"):
        if path.exists():
            return path
    raise BadInputError(f"{given}: expected a store there or in {stores}, found none; make one with posedata build")
