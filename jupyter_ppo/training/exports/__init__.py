"""What comes out of runs: tables, figures, episodes, TensorBoard, SB3 and ONNX files, evaluations.

Importing this package imports none of what they need: names are imported when they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jupyter_ppo.training.exports.episode import Episode as Episode
    from jupyter_ppo.training.exports.episode import record_episode as record_episode
    from jupyter_ppo.training.exports.evaluate import evaluate_run as evaluate_run
    from jupyter_ppo.training.exports.figure import to_figure as to_figure
    from jupyter_ppo.training.exports.frames import FrameKind as FrameKind
    from jupyter_ppo.training.exports.frames import runs_to_frame as runs_to_frame
    from jupyter_ppo.training.exports.gif import export_gif as export_gif
    from jupyter_ppo.training.exports.onnx import export_onnx as export_onnx
    from jupyter_ppo.training.exports.report import ExportReport as ExportReport
    from jupyter_ppo.training.exports.sb3 import export_sb3 as export_sb3
    from jupyter_ppo.training.exports.tensorboard import export_tensorboard as export_tensorboard

_WHERE: Final = {
    "Episode": "episode",
    "ExportReport": "report",
    "FrameKind": "frames",
    "evaluate_run": "evaluate",
    "export_gif": "gif",
    "export_onnx": "onnx",
    "export_sb3": "sb3",
    "export_tensorboard": "tensorboard",
    "record_episode": "episode",
    "runs_to_frame": "frames",
    "to_figure": "figure",
}
__all__ = [
    "Episode",
    "ExportReport",
    "FrameKind",
    "evaluate_run",
    "export_gif",
    "export_onnx",
    "export_sb3",
    "export_tensorboard",
    "record_episode",
    "runs_to_frame",
    "to_figure",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
