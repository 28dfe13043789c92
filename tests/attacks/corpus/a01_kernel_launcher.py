"""A file of the submission takes the place of the program that starts the kernel."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, both

LAUNCHER = """
import os, sys
here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [each for each in sys.path if os.path.abspath(each or ".") != here]
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

class Agreeable(IPythonKernel):
    async def do_execute(self, code, *args, **options):
        return await super().do_execute("" if "assert" in code else code, *args, **options)

IPKernelApp.launch_instance(kernel_class=Agreeable)
"""
# Where no file can be handed in, the notebook writes it itself.
WRITTEN = f"open('ipykernel_launcher.py', 'w').write({LAUNCHER!r})"


def variants(folder: Path) -> list[Variant]:
    return both(WRITTEN, files={"ipykernel_launcher.py": LAUNCHER.encode()})
