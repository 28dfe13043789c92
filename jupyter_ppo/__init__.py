"""Learn Proximal Policy Optimization inside Jupyter.

Importing this package in a student's kernel loads neither the server, nor SQLAlchemy, nor torch:
the public names below are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_ppo._version import __version__ as __version__
    from jupyter_ppo.domain.run_spec import RunSpec as RunSpec
    from jupyter_ppo.domain.schedules import Schedule as Schedule
    from jupyter_ppo.training.exports.episode import record_episode as record_episode
    from jupyter_ppo.training.exports.evaluate import evaluate_run as evaluate_run
    from jupyter_ppo.training.exports.figure import to_figure as to_figure
    from jupyter_ppo.training.exports.frames import runs_to_frame as runs_to_frame
    from jupyter_ppo.training.exports.gif import export_gif as export_gif
    from jupyter_ppo.training.exports.onnx import export_onnx as export_onnx
    from jupyter_ppo.training.exports.sb3 import export_sb3 as export_sb3
    from jupyter_ppo.training.exports.tensorboard import export_tensorboard as export_tensorboard
    from jupyter_ppo.training.launch import list_runs as list_runs
    from jupyter_ppo.training.launch import open_run as open_run
    from jupyter_ppo.training.own_loop import RunLog as RunLog
    from jupyter_ppo.training.own_loop import log as log
    from jupyter_ppo.training.sb3_callback import RunCallback as RunCallback
    from jupyter_ppo.training.trust import trust_run as trust_run
    from jupyter_ppo.widgets.ablation_board import AblationBoard as AblationBoard
    from jupyter_ppo.widgets.ablations import show_ablation as show_ablation
    from jupyter_ppo.widgets.episode import EpisodeViewer as EpisodeViewer
    from jupyter_ppo.widgets.experiment import Experiment as Experiment
    from jupyter_ppo.widgets.inside import InsidePPO as InsidePPO
    from jupyter_ppo.widgets.live import LiveRun as LiveRun
    from jupyter_ppo.widgets.run_board import RunBoard as RunBoard
    from jupyter_ppo.widgets.run_form import RunForm as RunForm
    from jupyter_ppo.widgets.train import LiveRuns as LiveRuns
    from jupyter_ppo.widgets.train import train as train

_HOMES = {
    "AblationBoard": "widgets.ablation_board",
    "EpisodeViewer": "widgets.episode",
    "Experiment": "widgets.experiment",
    "InsidePPO": "widgets.inside",
    "LiveRun": "widgets.live",
    "LiveRuns": "widgets.train",
    "RunBoard": "widgets.run_board",
    "RunCallback": "training.sb3_callback",
    "RunForm": "widgets.run_form",
    "RunLog": "training.own_loop",
    "RunSpec": "domain.run_spec",
    "Schedule": "domain.schedules",
    "evaluate_run": "training.exports.evaluate",
    "export_gif": "training.exports.gif",
    "export_onnx": "training.exports.onnx",
    "export_sb3": "training.exports.sb3",
    "export_tensorboard": "training.exports.tensorboard",
    "list_runs": "training.launch",
    "log": "training.own_loop",
    "open_run": "training.launch",
    "record_episode": "training.exports.episode",
    "runs_to_frame": "training.exports.frames",
    "show_ablation": "widgets.ablations",
    "to_figure": "training.exports.figure",
    "train": "widgets.train",
    "trust_run": "training.trust",
}

__all__ = [
    "AblationBoard",
    "EpisodeViewer",
    "Experiment",
    "InsidePPO",
    "LiveRun",
    "LiveRuns",
    "RunBoard",
    "RunCallback",
    "RunForm",
    "RunLog",
    "RunSpec",
    "Schedule",
    "evaluate_run",
    "export_gif",
    "export_onnx",
    "export_sb3",
    "export_tensorboard",
    "list_runs",
    "log",
    "open_run",
    "record_episode",
    "runs_to_frame",
    "show_ablation",
    "to_figure",
    "train",
    "trust_run",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = globals()[name] = getattr(import_module(f"jupyter_ppo.{_HOMES[name]}"), name)
        return value
    if name == "__version__":
        from jupyter_ppo._version import __version__

        return __version__
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the built front end is; called by ``jupyter labextension``."""
    return [{"src": "labextension", "dest": "jupyter-ppo"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load; called when a server starts."""
    from jupyter_ppo.extension import PPOExtension

    return [{"module": "jupyter_ppo", "app": PPOExtension}]
