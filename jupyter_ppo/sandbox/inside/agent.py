"""Process 1 of a container: starts the student's processes and says how they ended.

Standard input and output carry frames (see ``frames``). The agent imports what it was told to in
advance, says ``ready``, and waits. Then the server asks on META, as JSON with ``do``:

- ``kernel``: become the relay of one Jupyter kernel until it ends (``inside.kernel``), or with
  ``again`` have one relayed and be ready for the next (``inside.slot``);
- ``program``: run one program in a process of its own (``inside.program``), any number of times;
  two more parts of the frame hold the program, as JSON, and its standard input;
- ``examine``: run the examiner of one submission (``inside.examining``), any number of times;
- ``train``: run the worker of one training run (``inside.training``).

When standard input ends, the server is gone and the agent exits, which ends every process of the
container. Being process 1 it cannot be killed from inside, and it is not dumpable. All reading and
writing is non-blocking: a flood in one direction never stops the other.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import sys
from collections.abc import Sequence
from typing import Any, Final

from jupyter_ppo.sandbox.frames import Channel
from jupyter_ppo.sandbox.inside import child, examining, kernel, program, slot, training
from jupyter_ppo.sandbox.inside.pipe import Pipe

_ORDERS: Final = frozenset({"kernel", "program", "examine", "train"})


def main(arguments: list[str]) -> None:
    """Run as process 1 until the server ends or says so; never returns.

    ``arguments`` holds one JSON object: ``preload``, names of modules to import while nobody waits.
    """
    child.hide_this_process()
    boot: dict[str, Any] = json.loads(arguments[0])
    gc.disable()  # imports make next to no garbage; looking for it takes a tenth of their time
    for name in boot["preload"]:
        with contextlib.suppress(Exception):
            __import__(name)
    os.umask(0o077)
    gc.freeze()  # so that collecting in a fork does not copy every page
    gc.enable()
    pipe = Pipe()
    pipe.tell(event="ready")
    while True:
        order, rest = _next_order(pipe)
        if order["do"] == "kernel" and order.get("again"):
            slot.run(pipe, order)
        elif order["do"] == "kernel":
            kernel.run(pipe, order)
        elif order["do"] == "examine":
            examining.run(pipe)
        elif order["do"] == "train":
            training.run(pipe, order)
        else:
            program.run(pipe, order, *rest)


def _next_order(pipe: Pipe) -> tuple[dict[str, Any], Sequence[bytes]]:
    while True:
        while pipe.inbox:
            frame = pipe.inbox.popleft()
            if frame.channel is Channel.META:
                order: dict[str, Any] = json.loads(frame.parts[0])
                if order["do"] in _ORDERS:  # a signal that came too late is nothing
                    return order, frame.parts[1:]
        select.select([0], [1] if pipe.waiting else [], [])
        pipe.read()
        pipe.write()


if __name__ == "__main__":
    main(sys.argv[1:])
