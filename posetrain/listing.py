"""What runs there are, and how they compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posedata.errors import PoseDataError
from posetrain import checkpoints
from posetrain.history import Row, best_epoch, load_history, pck_of, plain_of, speed_of, told_of


@dataclass(frozen=True)
class RunState:
    """A run as it is now.

    Attributes:
        run: its folder.
        state: "finished", "unfinished" or "damaged".
        problem: what is damaged.
        info: configuration and store; None if unreadable.
        history: a row an epoch that is finished.
    """

    run: Path
    state: str
    problem: str | None
    info: checkpoints.RunInfo | None
    history: list[dict[str, float]]

    @property
    def best(self) -> Row:
        """The row of the best epoch; empty if none is finished."""
        return self.history[best_epoch(self.history) - 1] if self.history else {}

    def as_dict(self) -> dict[str, Any]:
        """For JSON: configuration, and the figures of the best epoch."""
        found: dict[str, Any] = {
            "name": self.run.name,
            "run": str(self.run),
            "state": self.state,
            "problem": self.problem,
        }
        if self.info:
            found |= {"store": self.info.store.path, "config": self.info.config.model_dump()}
        best = self.best
        unit, speed = speed_of(best)
        return found | {
            "epochs": len(self.history),
            "best_epoch": int(best["epoch"]) if best else None,
            "val_loss": None,
            **plain_of(best),
            "val_pck": pck_of(best),
            f"{unit}_per_second": speed,
        }


def run_state(run: Path) -> RunState:
    """How a run is."""
    info = None
    try:
        info = checkpoints.read_run(run)
        history = load_history(run)
    except PoseDataError as error:
        return RunState(run, "damaged", str(error), info, [])
    finished = (run / checkpoints.SUMMARY_NAME).exists()
    return RunState(run, "finished" if finished else "unfinished", None, info, history)


def comparison(states: Sequence[RunState]) -> list[tuple[str, ...]]:
    """A header and a row a run: state, figures of the best epoch, and the settings in which the runs differ."""
    settings = _differing(states)
    rows = [("run", "state", "model", "store", "epochs", "best", "validation", "speed", *settings)]
    for state in states:
        known = state.as_dict()
        config, (unit, speed) = known.get("config", {}), speed_of(known)
        rows.append(
            (
                state.run.name,
                state.state,
                str(config.get("model", "")),
                Path(known.get("store", "")).stem,
                f"{known['epochs']}/{config['epochs']}" if config else "",
                str(known["best_epoch"] or ""),
                told_of(state.best) if state.best else "",
                f"{speed:.1f} {unit}/s" if speed else "",
                *(_shown(config.get(name)) for name in settings),
            )
        )
    return rows


def _differing(states: Sequence[RunState]) -> list[str]:
    configs = [state.info.config.model_dump() for state in states if state.info]
    names = [name for name in configs[0] if name not in ("model", "epochs")] if configs else []
    return [name for name in names if len({config[name] for config in configs}) > 1]


def _shown(setting: object) -> str:
    """A run by its name, not its path; nothing as a dash."""
    if setting is None:
        return "-"
    if isinstance(setting, str):
        return Path(setting).name
    return f"{setting:g}" if isinstance(setting, float) else str(setting)
