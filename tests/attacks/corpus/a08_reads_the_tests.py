"""The tested function reads the test that calls it: the cell's text, frames, all objects."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, both, wrong

TEXT = """
import re

def square(x):
    found = re.findall(r"square\\(%d\\) == (\\d+)" % x, str(globals().get("In")))
    return int(found[-1]) if found else 0
"""
FRAMES = """
import gc
import re
import sys

def square(x):
    text, frame = "", sys._getframe()
    while frame:
        text += str(frame.f_code.co_consts) + str(frame.f_locals)
        frame = frame.f_back
    text += str([each for each in gc.get_objects() if isinstance(each, (list, dict))])
    found = re.findall(r"square\\(%d\\) == (\\d+)" % x, text)
    return int(found[-1]) if found else 0
"""
# The history is a file that another run may have written as well.
HISTORY = """
def square(x):
    import glob, os, re
    text = ""
    for path in glob.glob(os.path.expanduser("~/.ipython/**/history.sqlite"), recursive=True):
        text += open(path, "rb").read().decode("utf8", "replace")
    found = re.findall(r"square\\(%d\\) == (\\d+)" % x, text)
    return int(found[-1]) if found else 0
"""


def variants(folder: Path) -> list[Variant]:
    tricks = {"text of the cell": TEXT, "frames": FRAMES, "history": HISTORY}
    found = [
        wrong("import re", name, answers={"square": text.strip()}) for name, text in tricks.items()
    ]
    return [*found, *both("print(len(In))", "harmless")]
