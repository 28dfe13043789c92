"""Attacks on the border between the student's kernel and the examiner, one notebook each.

A test that never gets a usable answer gives no points. What is forged here is what the student's
side says; it is found through the garbage collector, since no name leads to it.
"""

from __future__ import annotations

import json
from pathlib import Path

from attack_corpus import Attack, Variant, cell, given, notebook, submission, tests

SOLUTION = """### BEGIN SOLUTION
import numpy as np

def f(n):
    return [i * i for i in range(1, n + 1)]

def mean(values):
    return float(np.mean(values))

def arr(n):
    return np.arange(n) * 2.0

def check(n):
    if n < 0:
        raise ValueError("negative")
    return n

def gen(n):
    return iter(range(n))

def apply(g, x):
    return g(x)

def same(a):
    return sorted(a)

class Box:
    def __init__(self, v):
        self.v = v

    def __len__(self):
        return self.v

    def __getitem__(self, i):
        if i >= self.v:
            raise IndexError(i)
        return i
### END SOLUTION"""
F = "assert f(3) == [1, 4, 9]"
MEAN = "assert abs(mean([1, 2, 6]) - 3.0) < TOL"
ARR = "np.testing.assert_allclose(arr(3), [0, 2, 4])\nassert (arr(3) == np.array([0, 2, 4])).all()"
# ``answer`` makes the answer to every call what it is given, ``raw`` the bytes of every answer.
FORGE = """
import gc, json
S = next((o for o in gc.get_objects() if type(o).__name__ == "Student"), None)
calls = []
if S is not None:
    LINK, SPACE, HONEST = S._link, type(S)._send.__globals__, S._send
    def say(header, blob=b""):
        LINK.send(SPACE["Channel"].BORDER, (header, blob))
    def answer(body, blob=b""):
        def forged(reply, data):
            if calls: say(b'{"q":%d,"out":"","mut":{},%s}' % (reply["q"], body), blob)
            else: HONEST(reply, data)
        S._send = forged
    def raw(data):
        S._send = lambda reply, blob: LINK._socket.sendall(data)
def called(*given):
    calls.append(given)
    return 0
f = mean = arr = check = called
"""
SPECIAL = (
    "call getitem len iter next str bool float int eq ne lt le gt ge add sub rsub radd mul hash abs"
)
ALL_METHODS = json.dumps([f"__{name}__" for name in SPECIAL.split()])
ANY = """
class Any:
    def __eq__(self, other): seen.append(other); return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return lambda *a: Any()
    __hash__ = None
    __array_priority__ = 1e9
    def __array_function__(self, *a): return True
    def __array_ufunc__(self, *a, **k): return Any()
    def __bool__(self): return True
    def all(self): return True
    __sub__ = __rsub__ = __abs__ = lambda self, *a: Any()
    __lt__ = __gt__ = lambda self, other: True
seen = []
f = mean = arr = lambda *a: Any()
"""


def forged(what: str) -> str:
    return FORGE + what


def attack(name: str, title: str, code: str, test: str, deserved: float = 0.0) -> Attack:
    source = notebook(
        given("import numpy as np\n\nTOL = 1e-9"),
        cell("answer", SOLUTION, solution=True),
        tests("t", test, 1),
    )

    def variants(folder: Path) -> list[Variant]:
        data = submission({"answer": f"import numpy as np\n{code.strip()}"}, source)
        return [Variant(title.partition(" ")[0], data, {"t": deserved})]

    return Attack(f"border_{name}", title, source, variants)


ATTACKS = [
    attack(
        "control",
        "A forged answer is an answer like any other: if it is right, the test passes.",
        forged("answer(b'\"r\":[1,4,9]')"),
        F,
        1.0,
    ),
    attack("always_equal", "An object that equals everything is returned.", ANY, F),
    attack("always_near", "An object whose difference to everything is small.", ANY, MEAN),
    attack("always_close", "An object that takes part in numpy's comparisons.", ANY, ARR),
    attack(
        "array_subclass",
        "An array of a subclass whose comparisons are always true.",
        """
class A(np.ndarray):
    def __eq__(self, other): return np.ones(3, bool)
    def __array_function__(self, *a, **k): return True
    def __array_ufunc__(self, *a, **k): return np.zeros(3, bool)
def arr(n): return np.full(3, 7.).view(A)
""",
        "assert (arr(3) == np.array([0, 2, 4])).all()",
    ),
    attack(
        "float_subclass",
        "A float of a subclass that is near to everything.",
        """
class Z(float):
    def __sub__(self, other): return Z(0)
    __rsub__ = __sub__
    def __abs__(self): return 0.0
    def __eq__(self, other): return True
def mean(a): return Z(1e5)
""",
        MEAN + "\nassert mean([1, 2, 6]) == 3",
    ),
    attack(
        "patched_testing",
        "The comparing functions of numpy are replaced in the student's kernel.",
        """
import numpy.testing as t
t.assert_allclose = np.testing.assert_allclose = lambda *a, **k: None
def arr(n): return 0
""",
        "np.testing.assert_allclose(arr(3), [0, 2, 4])",
    ),
    attack(
        "overwritten_names",
        "The author's constants and builtins are overwritten by the student's cell.",
        "TOL = 1e9\nabs = lambda x: 0\ndef mean(a): return 0.0",
        MEAN,
    ),
    attack(
        "transformer",
        "IPython in the student's kernel rewrites every assertion that it sees.",
        """
get_ipython().input_transformers_post.append(
    lambda lines: [line.replace("assert", "assert True or") for line in lines])
def f(n): return 0
""",
        F,
    ),
    attack(
        "memory",
        "The called function looks for the test in its frames, its objects and its own memory.",
        r"""
import gc, sys, re
pattern = re.compile(rb"f\(3\) == (\[\d[^]]*\])")
def f(n):
    text = str(globals().get("In")) + str(len(gc.get_objects()))
    frame = sys._getframe()
    while frame: text += str(frame.f_code.co_consts) + str(frame.f_locals); frame = frame.f_back
    m = pattern.search(text.encode("utf8", "replace"))
    with open("/proc/self/mem", "rb", 0) as mem:
        for line in open("/proc/self/maps"):
            lo, hi = (int(v, 16) for v in line.split()[0].split("-"))
            if m or " rw" not in line or hi - lo > 1 << 26: continue
            try: mem.seek(lo); m = pattern.search(mem.read(hi - lo))
            except (OSError, ValueError, OverflowError): pass
    return eval(m[1]) if m else 0
""",
        F,
    ),
    attack(
        "every_method",
        "The answer claims to be an object that has every special method.",
        forged(
            f"answer(b'\"r\":' + json.dumps({{'t': 'ref', 'v': 0, 'n': 'x', 'm': {ALL_METHODS}, "
            "'c': []}).encode())"
        ),
        F,
    ),
    attack(
        "system_exit",
        "The answer claims that the student's code raised SystemExit.",
        forged('answer(b\'"x":["builtins.SystemExit"],"msg":""\')'),
        F,
    ),
    attack(
        "junk",
        "The answer is of a type that does not exist.",
        forged('answer(b\'"r":{"t":["list"],"v":{}}\')'),
        F,
    ),
    attack(
        "two_answers",
        "Every question gets two answers, to be ahead of the next one.",
        FORGE
        + """
def twice(reply, data):
    if not calls: return HONEST(reply, data)
    for _ in range(2): say(json.dumps({**reply, "r": 0}).encode())
S._send = twice
""",
        F,
    ),
    attack(
        "next_answer",
        "The answer to the next question is sent in advance, with its number.",
        FORGE
        + """
def ahead(reply, data):
    HONEST(reply, data)
    for q in range(reply["q"] + 1, reply["q"] + 50):
        say(json.dumps({"q": q, "r": [1, 4, 8], "mut": {}, "out": ""}).encode())
S._send = ahead
""",
        F,
    ),
    attack(
        "huge_frame",
        "The length of an answer is said to be 4 GB.",
        forged('raw(b"\\xff" * 64)'),
        F,
    ),
    attack(
        "huge_buffers",
        "An answer names a hundred buffers of a terabyte that are not there.",
        forged(
            'answer(b\'"r":[\' + b\',\'.join([b\'{"t":"bytes","b":[0,1099511627776]}\'] * 100)'
            " + b']')"
        ),
        F,
    ),
    attack(
        "empty_lists",
        "An answer of 30 MB of empty lists, which would take a gigabyte as objects.",
        forged("answer(b'\"r\":[' + b'[],' * 10**7 + b'[]]')"),
        F,
    ),
    attack(
        "huge_number",
        "An answer that is a number of three million digits, slow to read.",
        forged("answer(b'\"r\":' + b'9' * 3_000_000)"),
        F,
    ),
    attack(
        "deep",
        "An answer that nests a hundred thousand levels deep.",
        forged("answer(b'\"r\":' + b'[' * 100_000 + b']' * 100_000)"),
        F,
    ),
    attack(
        "hangs",
        "The called function never returns.",
        "def f(n):\n    while True: pass",
        F,
    ),
    attack(
        "drips",
        "An answer comes a byte at a time, one each second.",
        FORGE
        + """
import time
def drip(reply, data):
    while True: LINK._socket.sendall(b"\\x01"); time.sleep(1)
S._send = drip
""",
        F,
    ),
    attack(
        "exits",
        "The called function ends the process, and the test ignores every error.",
        "import os\ndef check(n): os._exit(0)",
        "try:\n    check(-1)\nexcept:\n    pass\nelse:\n    assert False",
    ),
    attack(
        "object_array",
        "An array of objects, whose bytes would be taken for addresses.",
        forged('answer(b\'"r":{"t":"ndarray","d":"|O","s":[1],"b":[0,8]}\', b"A" * 8)'),
        ARR,
    ),
    attack(
        "false_shape",
        "An array whose shape is larger than a number of 64 bits can count.",
        forged(
            'answer(b\'"r":{"t":"ndarray","d":"<f8","s":[549755813888,0,549755813888],"b":[0,0]}\')'
        ),
        ARR,
    ),
    attack(
        "type_with_shape",
        "An array whose type is itself an array of a billion numbers.",
        forged('answer(b\'"r":{"t":"ndarray","d":"(1000000000,)<f8","s":[0],"b":[0,0]}\')'),
        ARR,
    ),
    attack(
        "negated_nan",
        "Not a number against a test that asks for no large difference; the author is warned.",
        "def mean(a): return float('nan')",
        "assert not abs(mean([1, 2, 6]) - 3.0) > TOL",
        1.0,
    ),
    attack(
        "nan",
        "Not a number against a test that asks for a small difference.",
        "def mean(a): return float('nan')",
        MEAN,
    ),
    attack(
        "stop_iteration",
        "StopIteration from student code would end the author's map early.",
        "def check(n): raise StopIteration",
        "assert all(map(lambda n: check(n) == n, range(5)))",
    ),
    attack(
        "endless_generator",
        "An iterator that never ends.",
        "def gen(n):\n    while True: yield 0",
        "assert list(gen(3)) == [0, 1, 2]",
    ),
    attack(
        "false_length",
        "An object that says it has 2**62 parts.",
        """
class Box:
    def __init__(self, v): pass
    def __len__(self): return 2 ** 62
    def __getitem__(self, i): return 0
""",
        "assert list(Box(3)) == [0, 1, 2]",
    ),
    attack(
        "callback_frame",
        "The function that the test hands over is looked into for the expected value.",
        """
def apply(g, x):
    return g.__code__.co_consts[1] + 1 if hasattr(g, "__code__") else 0
""",
        "assert apply(lambda v: v + 41, 1) == 42",
    ),
    attack(
        "callbacks_without_end",
        "Student code and the test's function call each other without end.",
        "def apply(g, x): return g(apply, x)",
        "h = lambda a, x: a(h, x) if callable(a) else x\nassert apply(lambda v: v, 1) == 1",
    ),
    attack(
        "changed_argument",
        "The argument is changed and then compared with itself; the author is warned.",
        "def same(a):\n    a.clear()\n    return a",
        "data = [3, 1, 2]\nassert same(data) == sorted(data)",
        1.0,
    ),
    attack(
        "broken_tools",
        "Standard output and the JSON module are broken in the student's kernel.",
        "import sys, json\nsys.stdout = None\njson.dumps = None\ndef f(n): return 0",
        F,
    ),
]
