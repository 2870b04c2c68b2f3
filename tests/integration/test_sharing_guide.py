"""The guide to sharing, executed: a folder and an S3 server stand in for those of its examples."""

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from lines import carry_out
from places import S3Server
from zygote import Zygote

GUIDE = Path(__file__).parents[2] / "docs" / "sharing.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
HUB = "hf://"


def test_the_guide_has_examples_of_every_way() -> None:
    text = "".join(BLOCKS)
    for place in ("/mnt/team/datasets", "s3://bucket/datasets", HUB, "data_manifests/"):
        assert place in text


def test_the_examples_work(s3: S3Server, zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page; those of the Hub need a network, and are left out."""
    monkeypatch.delenv("POSEDATA_HOME", raising=False)
    (tmp_path / "data_manifests").mkdir()
    collection = f"s3://pose/{uuid4().hex}"
    setting_up = "posedata sample brace --sequences 4 --frames 40\nposedata build --dataset brace --k 2\n"
    lines = [line for block in (setting_up, *BLOCKS) for line in block.splitlines() if line.strip()]
    script = "\n".join(line for line in lines if HUB not in line and not line.startswith("export"))
    script = script.replace("/mnt/team", str(tmp_path / "team")).replace("s3://bucket/datasets", collection)
    script = script.replace("posetrain run", "posetrain run --model smoothnet --epochs 1")
    said = ""
    for line in script.splitlines():
        code, words = carry_out(line, zygote, tmp_path)
        assert code == 0, f"{line}\n{words[-3000:]}"
        said += words
    assert "content digest: as the manifest says" in said
    assert (tmp_path / "sheet.png").is_file()


@pytest.mark.parametrize("line", [line for block in BLOCKS for line in block.splitlines() if HUB in line])
def test_the_examples_of_the_hub_are_understood(line: str) -> None:
    """Without a network, a push or pull says that the Hub is away, and nothing else."""
    arguments = line.split()
    assert arguments[0] == "posedata"
    done = subprocess.run(
        [Path(sys.executable).with_name("posedata"), "list", arguments[-1]],
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7
    assert "expected an answer" in done.stderr
