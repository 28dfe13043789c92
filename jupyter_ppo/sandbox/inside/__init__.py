"""The program that runs as process 1 of a container. It is sent as source, never installed there.

So the image needs nothing but Python and ipykernel, and server and container always speak the same
version of the frames. Both sides of the border are part of it: a kernel answers the examiner, and
an examiner's container runs the examiner.
"""

from __future__ import annotations

import base64
import zlib
from functools import cache
from importlib.resources import files
from typing import Final

_PACKAGE: Final = "jupyter_ppo.sandbox"
_FOLDERS: Final = ("border", "inside")

#: The parts are loaded under their own names and then forgotten, so that the student's
#: ``import jupyter_ppo`` finds what the image has. They have builtins of their own, which stay as
#: they are when the student replaces one.
_LOADER: Final = """\
import builtins, sys
from importlib.machinery import ModuleSpec
class _Loader:
    _builtins = dict(vars(builtins))
    def find_spec(self, name, path=None, target=None):
        if name in _SOURCES:
            return ModuleSpec(name, self, is_package=_SOURCES[name] is None)
    def create_module(self, spec):
        return None
    def exec_module(self, module):
        text = _SOURCES[module.__name__]
        if text is not None:
            module.__builtins__ = self._builtins
            exec(compile(text, module.__name__, "exec"), module.__dict__)
_loader = _Loader()
sys.meta_path.insert(0, _loader)
from jupyter_ppo.sandbox.inside import agent as _agent
sys.meta_path.remove(_loader)
for _name in [name for name in sys.modules if name.partition(".")[0] == "jupyter_ppo"]:
    del sys.modules[_name]
_agent.main(sys.argv[1:])
"""

#: One argument of a program may have 128 KiB (Linux, MAX_ARG_STRLEN), which the sources exceed.
_UNPACKER: Final = """\
import base64, zlib
exec(zlib.decompress(base64.b85decode({packed!r})))
"""


@cache
def agent_program() -> str:
    """Return the text for ``python -c``."""
    home = files(_PACKAGE)
    sources: dict[str, str | None] = {"jupyter_ppo": None, _PACKAGE: None}
    sources[f"{_PACKAGE}.frames"] = home.joinpath("frames.py").read_text("utf-8")
    for folder in _FOLDERS:
        package = f"{_PACKAGE}.{folder}"
        sources[package] = None
        for file in sorted(home.joinpath(folder).iterdir(), key=lambda file: file.name):
            name, _, ending = file.name.partition(".")
            if ending == "py" and name != "__init__":
                sources[f"{package}.{name}"] = file.read_text("utf-8")
    text = f"_SOURCES = {sources!r}\n{_LOADER}"
    packed = base64.b85encode(zlib.compress(text.encode(), 9)).decode("ascii")
    return _UNPACKER.format(packed=packed)
