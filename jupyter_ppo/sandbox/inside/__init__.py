"""The program that runs as process 1 of a container. It is sent as source, never installed there.

So the image needs nothing but Python and ipykernel, and server and container always speak the same
version of the frames.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

_PACKAGE: Final = "jupyter_ppo.sandbox"
_MODULES: Final = (
    "frames",
    "inside.seccomp",
    "inside.child",
    "inside.memory",
    "inside.pipe",
    "inside.kernel",
    "inside.plain",
    "inside.running",
    "inside.program",
    "inside.agent",
)

#: The parts are loaded under their own names and then forgotten, so that the student's
#: ``import jupyter_ppo`` finds what the image has. They have builtins of their own, which stay as
#: they are when the student replaces one.
_LOADER: Final = """\
import builtins, sys, types
_builtins = dict(vars(builtins))
def _module(name, text=None):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = []
    if text is not None:
        module.__builtins__ = _builtins
        exec(compile(text, name, "exec"), module.__dict__)
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)
    return module
for _name in ("jupyter_ppo", "jupyter_ppo.sandbox", "jupyter_ppo.sandbox.inside"):
    _module(_name)
for _name, _text in _SOURCES:
    _agent = _module(_name, _text)
for _name in [name for name in sys.modules if name.partition(".")[0] == "jupyter_ppo"]:
    del sys.modules[_name]
_agent.main(sys.argv[1:])
"""


@cache
def agent_program() -> str:
    """Return the text for ``python -c``."""
    sources = []
    for name in _MODULES:
        path = files(_PACKAGE).joinpath(*name.split(".")[:-1], f"{name.split('.')[-1]}.py")
        sources.append((f"{_PACKAGE}.{name}", path.read_text("utf-8")))
    return f"_SOURCES = {sources!r}\n{_LOADER}"
