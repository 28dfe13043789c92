# verdict: ran
# program: succeeded
# ruff: noqa
# looks for the text of later cells in its memory and files
import gc
import os
import sys

wanted = " ".join(("second", "cell"))
frame = sys._getframe()
while frame is not None:
    assert wanted not in str(frame.f_locals.get("code", ""))
    frame = frame.f_back
for thing in gc.get_objects():
    if type(thing) in {dict, list, tuple}:
        values = list(thing.values()) if type(thing) is dict else thing
        for value in values:
            assert type(value) is not str or value is wanted or wanted not in value
for folder, _, names in os.walk("/home/student"):
    for name in names:
        assert wanted not in open(os.path.join(folder, name), errors="replace").read()
