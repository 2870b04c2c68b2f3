"""posedata knows neither torch nor posetrain."""

import json
import subprocess
import sys
from pathlib import Path

CODE = """
import importlib, json, pkgutil, sys
import posedata
names = [m.name for m in pkgutil.walk_packages(posedata.__path__, "posedata.") if not m.name.endswith("__main__")]
for name in names:
    importlib.import_module(name)
for name in posedata.__all__:
    getattr(posedata, name)
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"names": names, "loaded": loaded}))
"""


def test_no_module_of_posedata_imports_torch_or_posetrain(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    # The walk must have reached all packages, or the test would prove nothing.
    wanted = {"cli", "build", "formats.brace", "samples.speed21", "store.reader"}
    assert {f"posedata.{name}" for name in wanted} <= set(found["names"])
    assert "posedata" in found["loaded"]
    assert not {"torch", "posetrain", "safetensors"} & set(found["loaded"])


def test_importing_posedata_imports_nothing_else(tmp_path: Path) -> None:
    code = "import sys, posedata; print(sorted({'numpy', 'zarr', 'scipy', 'pydantic', 'click'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "[]\n"


def test_a_child_that_reads_files_imports_little_before_it_reads(tmp_path: Path) -> None:
    """It is started for one file as for thousands."""
    code = (
        "import sys, posedata.isolated.child, posedata.isolated.mat, posedata.isolated.netcdf\n"
        "others = {'scipy', 'xarray', 'h5netcdf', 'pydantic', 'zarr', 'posedata.formats', 'posedata.poses'}\n"
        "print(sorted(others & set(sys.modules)), 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "[] True\n"


def test_what_needs_no_model_imports_no_torch(tmp_path: Path) -> None:
    code = "import sys, posetrain.cli, posetrain.listing, posetrain.sharing; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout == "False\n"
