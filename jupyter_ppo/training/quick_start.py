"""Half of a worker's start-up saved: PyTorch's compiler is not loaded for nothing.

At its first use an optimizer imports ``torch._dynamo``, to tell the compiler to stay out of it
(``torch/_compile.py`` and ``torch/optim/optimizer.py``, PyTorch 2.13). That takes as long as
PyTorch itself, 1.5 CPU seconds, and nothing here is compiled. What is computed stays the same, bit
for bit.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch.optim import Adam, Optimizer

#: Methods of ``Optimizer`` behind the decorator that imports the compiler.
_GUARDED: Final = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")


def leave_compiler_alone() -> None:
    """Let Adam work without the compiler in this process; once is enough.

    Where PyTorch looks different from what this expects, nothing is changed and the start is slow.
    """
    step: Any = getattr(Adam.step, "__wrapped__", None)
    methods: list[Any] = [
        getattr(getattr(Optimizer, name, None), "__wrapped__", None) for name in _GUARDED
    ]
    if step is None or None in methods or hasattr(Adam.step, "hooked"):
        return
    for method in methods:
        method.__dynamo_disable = method  # what the decorator asks for before it imports
    # Otherwise: gradients as ``differentiable`` says, which is off, between two calls that import.
    Adam.step = torch.no_grad()(step)  # type: ignore[method-assign]
