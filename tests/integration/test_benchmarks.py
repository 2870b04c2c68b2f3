"""Benchmarks say what they take, and what they change still fits what is there. None is timed here."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import torch

FOLDER = Path(__file__).parents[1] / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if "def main(" in path.read_text())


def load(name: str) -> Any:
    """A benchmark as a module."""
    spec = spec_from_file_location(f"benchmarks_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_what_it_takes(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(FOLDER)  # as for a file that is run
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        load(name).main()
    assert ended.value.code == 0
    assert f"python tests/benchmarks/{name}.py" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("variant", load("ablations").VARIANTS)
def test_every_variant_of_the_mixer_answers(variant: str) -> None:
    points = torch.randn(2, 9, 27, 2, generator=torch.Generator().manual_seed(0))
    with load("ablations").changed(variant) as make:
        model = make()
        for answered in (model.train()(points), model.eval()(points)):
            assert answered.shape == (2, 9, 25, 2)
            assert answered.isfinite().all()
