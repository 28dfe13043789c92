"""A policy as an ONNX file: what the environment shows goes in, the most likely action comes out.

Normalisation of observations and the bounds of actions are part of the graph, so that the file
alone is the policy. It is run beside the checkpoint before it is written.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from jupyter_ppo.training.exports.needs import needs
from jupyter_ppo.training.exports.report import ExportReport

if TYPE_CHECKING:
    from jupyter_ppo.training.exports.opened import AnyRun
    from jupyter_ppo.training.exports.policy import LoadedPolicy

#: Names of the graph's outputs: the action, and what it was chosen by (logits or means).
ACTION: Final = "action"
SCORES: Final = "scores"


def export_onnx(run: AnyRun, path: Path | str, step: int | None = None) -> ExportReport:
    """Write the deterministic policy of a checkpoint (None: the newest) to ``path``.

    The input is a batch of the environment's own observations, ``observation``, or one input for
    each key of a dictionary. Outputs are ``action`` and ``scores``: logits of discrete actions, in
    a row for several, and means of continuous ones before they are clipped.

    Raises ``UnavailableError`` when onnx, onnxruntime or onnxscript is not installed,
    ``CheckFailedError`` when the graph would act differently, then nothing is written, and what
    ``load_policy`` raises.
    """
    needs("onnx", "onnxruntime", "onnxscript")
    from jupyter_ppo.training.exports.policy import compared, load_policy, write_new

    loaded = load_policy(run, step)
    observations = loaded.observations()
    data = _graph(loaded, _inputs(observations))
    actions, scores = _run(data, _inputs(observations))
    report = compared(loaded, Path(path), observations, actions, scores)
    write_new(report.path, lambda file: file.write(data))
    return report


def _inputs(observations: Any) -> dict[str, NDArray[Any]]:
    """Return the observations by the names of the graph's inputs."""
    from jupyter_ppo.training.exports.action_graph import OBSERVATION

    return observations if isinstance(observations, dict) else {OBSERVATION: observations}


def _graph(loaded: LoadedPolicy, inputs: dict[str, NDArray[Any]]) -> bytes:
    """Return the bytes of the ONNX model."""
    import torch

    from jupyter_ppo.training.exports.action_graph import ActionGraph

    graph = ActionGraph(loaded.policy, loaded.observation_space, loaded.statistics).eval()
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            graph,
            tuple(torch.as_tensor(inputs[name][:2]) for name in graph.input_names),
            None,
            input_names=graph.input_names,
            output_names=[ACTION, SCORES],
            dynamic_shapes=(tuple({0: "batch"} for _ in graph.input_names),),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    model: Any = None if program is None else program.model_proto
    return _labelled(model, loaded)


def _labelled(model: Any, loaded: LoadedPolicy) -> bytes:
    """Say in the file what it is, and take the exporter's notes, with paths of ours, out of it."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    del graph.value_info[:]
    for name, value in {
        "env_id": loaded.spec.env_id,
        "step": loaded.step,
        "weights_sha256": loaded.checkpoint.info.weights_sha256,
        "normalizes_observations": "obs_mean" in " ".join(loaded.statistics),
    }.items():
        model.metadata_props.add(key=name, value=str(value))
    return bytes(model.SerializeToString())


def _run(data: bytes, inputs: dict[str, NDArray[Any]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the actions and scores that onnxruntime computes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # more would spin on a busy machine
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    actions, scores = session.run([ACTION, SCORES], inputs)
    return np.asarray(actions), np.asarray(scores)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what the exporter says that is of no use to its caller."""
    registry = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry.level
    registry.setLevel(logging.ERROR)  # "torchvision is not installed": nothing of it is needed
    try:
        with warnings.catch_warnings():
            # torch 2.13 uses a name of its own that it is about to drop.
            warnings.filterwarnings("ignore", r".*treespec.*LeafSpec", FutureWarning)
            # Several inputs share the one axis, which is what is meant.
            warnings.filterwarnings(
                "ignore", r"# The axis name: batch will not be used", UserWarning
            )
            yield
    finally:
        registry.setLevel(level)
