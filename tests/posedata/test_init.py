import subprocess
import sys
from types import ModuleType

import posedata
import posedata.build  # its name must not hide a public one


def test_every_public_name_is_there() -> None:
    public = {name: getattr(posedata, name) for name in posedata.__all__}
    assert not [name for name, value in public.items() if isinstance(value, ModuleType)]


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(posedata, "nonsense")


def test_importing_the_package_costs_nothing() -> None:
    code = "import sys, posedata; sys.exit(bool({'numpy', 'zarr', 'scipy', 'pydantic'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
