"""What cannot be sealed or needs care; and what looks like it and is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_ppo.autograde.sealing.findings import Topic
from jupyter_ppo.domain.sealing import CellSealing, FindingKind, SealState

ANSWER = (
    "answer",
    "import numpy as np\nimport torch\nLIMIT = 5\nclass Net(torch.nn.Module): pass\n"
    "class Stack:\n    pass\ndef f(x):\n    return x + TOL\ndef noise():\n"
    "    return np.random.rand(LIMIT)",
)
GIVEN = (
    "given",
    "TOL = 0.5\nHELP = 1\ndef near(a, b): assert abs(a - b) < 1\ndef asks(): return f(1)",
)
Read = Callable[..., CellSealing]


def topics(cell: CellSealing) -> set[Topic]:
    return {Topic(found.text) for found in cell.findings if found.text in set(Topic)}


FOUND = [
    ("%time r = f(2)\nassert r", Topic.MAGIC),
    ("!ls\nassert f(2)", Topic.MAGIC),
    ("assert 'f' in In[0] and f(2)", Topic.MAGIC),
    ("t = torch.ones(3, requires_grad=True)\nf(t).backward()\nassert t", Topic.AUTOGRAD),
    ("loss = f(1).sum()\nloss.backward()\nassert loss", Topic.AUTOGRAD),
    ("opt = torch.optim.SGD(Net().parameters())\nassert opt", Topic.AUTOGRAD),
    ("assert torch.autograd.gradcheck(f, (torch.ones(1),))", Topic.AUTOGRAD),
    ("from unittest.mock import patch\nwith patch('builtins.print') as p:\n    f(1)", Topic.PATCH),
    ("from unittest import mock\n@mock.patch('math.pi', 3)\ndef t(): f(1)\nt()", Topic.PATCH),
    ("import builtins\nbuiltins.print = f\nassert f(1)", Topic.PATCH),
    ("import os\nos.environ['A'] = 'b'\nassert f(1)", Topic.PATCH),
    ("np.random.rand = lambda n: 1\nassert noise() == 1", Topic.PATCH),
    ("import sys, io\nsys.stdin = io.StringIO('3')\nassert f(1)", Topic.FAKE_INPUT),
    ("class Deep(Stack): pass\nassert Deep()", Topic.SUBCLASS),
    ("s = Stack()\nassert type(s) is Stack", Topic.TYPE_IDENTITY),
    ("assert Stack().__class__ == Stack", Topic.TYPE_IDENTITY),
    ("import matplotlib.pyplot as plt\nf(1)\nassert plt.gca().get_title() == 'a'", Topic.FIGURE),
    ("assert await f(1)", Topic.AWAIT),
    ("import asyncio\nassert asyncio.run(f(1)) == 2", Topic.AWAIT),
    ("assert 'np' in f.__code__.co_names", Topic.PRIVATE),
    ("s = Stack()\nassert s._items == []", Topic.PRIVATE),
    ("import warnings\nwith warnings.catch_warnings(record=True) as w:\n    f(1)\nassert w",
     Topic.WARNINGS),
    ("import pytest\nwith pytest.warns(UserWarning):\n    f(1)", Topic.WARNINGS),
    ("from multiprocessing import Pool\nassert Pool(2).map(f, [1]) == [2]", Topic.PROCESS),
    ("import signal\nsignal.alarm(3)\nassert f(1)", Topic.ALARM),
    ("TOL = 0.25\nassert f(1) == 1.25", Topic.UNSEEN_NAME),
    ("def t():\n    global LIMIT\n    LIMIT = 2\nt()\nassert noise().size == 2", Topic.UNSEEN_NAME),
    ("assert globals().get('f')(1) == 2", Topic.NAMESPACE),
    ("assert 'push' in dir(Stack)", Topic.NAMESPACE),
    ("f(1)\nassert open('out.txt').read() == 'a'", Topic.FILES),
    ("import time as c\nt = c.time()\nf(1)\nassert c.time() - t < 1", Topic.TIMING),
    ("np.random.seed(0)\nassert noise()[0] != np.random.rand()", Topic.SHARED_RANDOM),
    ("rng = np.random.default_rng(1)\nassert f(rng) == rng.random()", Topic.GENERATOR),
    ("a = f(1)\nb = f(1)\nassert a is b", Topic.IDENTITY),
    ("import inspect\nassert inspect.isfunction(f)", Topic.INSPECT),
    ("import types\nassert isinstance(f, types.FunctionType)", Topic.FUNCTION_TYPE),
    ("import copy\nassert copy.deepcopy(Net())", Topic.COPY),
    ("from threading import Thread\nThread(target=f).start()\nassert f(1)", Topic.THREADS),
    ("import sys\nassert 'numpy' not in sys.modules and f(1)", Topic.MODULES),
    ("import contextlib, io\nwith contextlib.redirect_stderr(io.StringIO()) as e:\n    f(1)\n"
     "assert e", Topic.STDERR),
    ("assert f(torch.ones(1)).requires_grad", Topic.GRADIENT_FLAG),
    ("def (", Topic.NOT_PYTHON),
]  # fmt: skip


@pytest.mark.parametrize(("test", "topic"), FOUND)
def test_what_stands_in_the_way_is_named(read: Read, test: str, topic: Topic) -> None:
    assert topics(read(GIVEN, ANSWER, ("test", test))) == {topic}


FINE = [
    "for _ in range(3):\n    assert f(1) == 1.5",
    "x = torch.ones(2, requires_grad=True)\n(x * 2).sum().backward()\nassert f(x.grad[0]) == 2",
    "class Deep(dict): pass\nassert f(1) == Deep(a=1.5)['a']",
    "assert type(f(1)) is float and isinstance(Stack(), Stack)",
    "import matplotlib.pyplot as plt\nplt.plot([f(1)])\nassert len(plt.gca().lines) == 1",
    "import io, sys\nold = sys.stdout\nsys.stdout = io.StringIO()\nf(1)\n"
    "assert sys.stdout.getvalue() == ''",
    "from contextlib import redirect_stdout\nimport io\nwith redirect_stdout(io.StringIO()) as o:\n"
    "    f(1)\nassert o.getvalue() == ''",
    "assert f.__name__ == 'f' and f.__doc__ and len(f(1)) == f(1).__len__()",
    "import inspect\nassert 'x' in inspect.getsource(f) and inspect.signature(f).parameters",
    "LIMIT = 3\nassert noise().shape == (3,)",
    "HELP = 2\nassert f(HELP) == 2.5",
    "old = f\ndel f\ntry:\n    noise()\nfinally:\n    f = old\nassert f(1)",
    "np.random.seed(0)\na = noise()\nnp.random.seed(0)\nassert (a == np.random.rand(5)).all()",
    "x = np.random.rand(3)\nassert f(x)[0] == x[0] + 0.5",
    "rng = np.random.default_rng(1)\nassert f(rng.random(3)).shape == (3,)",
    "rng = np.random.default_rng(1)\nassert f(rng) == 1",
    "x = [1]\nassert f(x) is x and f(1) is not None",
    "import warnings\nwith warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n"
    "    assert f(1)",
    "assert {k: vars(object()) for k in []} == {} and f(1)",
    "class Env:\n    def __init__(self):\n        self._t = 0\n    def step(self, a):\n"
    "        self._t += 1\n        return self._t\ne = Env()\nassert f(e.step(1)) and e._t == 1",
    "from unittest.mock import Mock, patch\nm = Mock()\nf(m)\nm.assert_called_once()",
]


@pytest.mark.parametrize("test", FINE)
def test_nothing_is_found_where_nothing_is(read: Read, test: str) -> None:
    assert topics(read(GIVEN, ANSWER, ("test", test))) == set()


def test_a_numpy_layer_with_a_backward_method_is_fine_without_torch(read: Read) -> None:
    cell = read(("answer", "class Layer: pass"), ("test", "assert Layer().backward() == 1"))
    assert topics(cell) == set()


def test_values_of_an_earlier_test_cell_are_followed_into_this_one(read: Read) -> None:
    earlier = ("test", "net = Net()\nassert net\nopt = [p for p in net.parameters()]")
    cell = read(GIVEN, ANSWER, earlier, ("test", "net.backward()\nassert True"))
    assert topics(cell) == {Topic.AUTOGRAD}
    other = read(GIVEN, ANSWER, earlier, ("test", "p = object()\nassert p._x == f(1)"))
    assert topics(other) == set()


def test_findings_have_a_line_a_kind_and_come_in_order(read: Read) -> None:
    cell = read(GIVEN, ANSWER, ("test", "\nimport time\nt = time.time()\n%time f(1)\nassert f(1)"))
    assert [(found.line, found.kind) for found in cell.findings] == [
        (3, FindingKind.CARE),
        (4, FindingKind.OBSTACLE),
    ]
    assert cell.state is SealState.SEALED  # until the run says otherwise


def test_of_an_unsealed_cell_only_weaknesses_are_told(read: Read) -> None:
    cell = read(ANSWER, ("unsealed", "%time f(1)"))
    assert cell.state is SealState.UNSEALED
    assert cell.reason
    assert {found.kind for found in cell.findings} == {FindingKind.WEAK}


def test_every_finding_is_a_sentence_with_a_remedy() -> None:
    for topic in Topic:
        assert topic.value.endswith(".")
        assert ":" in topic.value
