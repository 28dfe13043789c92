"""What in a test cell cannot be sealed, or may behave differently there.

Reading is only the first look, to name the line and the remedy: whether a cell is sealed is decided
by the run on the reference solution.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum

from jupyter_ppo.autograde.sealing.draws import global_draws, seedings
from jupyter_ppo.autograde.sealing.reading import Function, Reading, last_part
from jupyter_ppo.domain.sealing import Finding, FindingKind


class Topic(StrEnum):
    """What a finding is about; its text is the sentence that the author reads."""

    NOT_PYTHON = "The cell is not Python that can be compiled: correct it."
    MAGIC = (
        "Magics, shell lines and the kernel's own variables do not exist where the test runs: "
        "write it in plain Python."
    )
    AUTOGRAD = (
        "Gradients do not flow between the test and the student's code: let the student's function "
        "return the gradient (or take the training step), and compare that."
    )
    PATCH = (
        "Replacing something in a module here does not change the student's process: hand the "
        "function what it needs as an argument."
    )
    FAKE_INPUT = (
        "The student's input() does not read what is set here: let the function take the text as "
        "an argument."
    )
    SUBCLASS = (
        "A class of the student's cannot be a base class here: make the subclass in a given cell "
        "after the answer, or use instances of the student's class."
    )
    TYPE_IDENTITY = (
        "type(x) of a student's object is not the student's class here: use isinstance(x, Class)."
    )
    FIGURE = (
        "A figure that the student's code draws is not here: let the function return the values or "
        "the axes, and look at those."
    )
    AWAIT = (
        "A student's coroutine cannot be awaited here: test a plain function that runs it to its "
        "end."
    )
    PRIVATE = (
        "Names that begin with an underscore do not come over from the student's objects: use a "
        "public attribute, or inspect.getsource."
    )
    WARNINGS = (
        "Warnings and log records of the student's code do not arrive here: test the value, or let "
        "the function raise."
    )
    PROCESS = (
        "The student's functions cannot be handed to other processes: call them one after the "
        "other."
    )
    ALARM = "The alarm of the process is the examiner's clock: a check has a time limit already."
    UNSEEN_NAME = (
        "Setting this name of a given cell does not change it for the student's functions that "
        "read it: let them take it as an argument, or set it in a part of the answer."
    )
    NAMESPACE = (
        "Looking names up by hand (globals(), vars(), eval, ...) sees the test's names: use the "
        "student's names directly, getattr(x, name) for attributes."
    )
    FILES = (
        "Files that the student's code wrote are not here, and theirs sees none of these: let the "
        "function return the content, or take it as an argument."
    )
    TIMING = (
        "The time of a call includes the way to the student's process and back, at least 0.1 ms: "
        "count steps instead, or leave a wide margin."
    )
    SHARED_RANDOM = (
        "The test and the student's code draw from random streams of their own: seed anew right "
        "before each of them, or hand the drawn numbers over."
    )
    GENERATOR = (
        "The student gets a copy of this random generator, so it does not move on here: make a new "
        "one from the seed for each use."
    )
    IDENTITY = (
        "Both sides are copies of what the student's code gave, so 'is' says little: compare the "
        "values."
    )
    INSPECT = (
        "Of inspect only getsource, getdoc and signature know the student's functions: use these."
    )
    FUNCTION_TYPE = "A student's function is not a FunctionType here: use callable(f)."
    COPY = "Only plain values of the student's can be copied or pickled here: not their objects."
    THREADS = "The student's code runs one call at a time, threads wait: call it in one thread."
    MODULES = (
        "sys.modules and the recursion limit are those of the test's process: look at "
        "inspect.getsource(f) for what an answer uses."
    )
    STDERR = "What the student's code writes to stderr does not arrive here: use stdout."
    GRADIENT_FLAG = (
        "Tensors arrive without their graph, so requires_grad and grad_fn are not the student's: "
        "test the numbers."
    )


_CARE = frozenset(
    {Topic.NAMESPACE, Topic.FILES, Topic.TIMING, Topic.SHARED_RANDOM, Topic.GENERATOR}
    | {Topic.IDENTITY, Topic.INSPECT, Topic.FUNCTION_TYPE, Topic.COPY, Topic.THREADS}
    | {Topic.MODULES, Topic.STDERR, Topic.GRADIENT_FLAG}
)
_KERNEL_NAMES = frozenset({"get_ipython", "In", "Out", "_ih", "_oh", "_", "__", "___"})
_NAMESPACE = frozenset({"globals", "locals", "eval", "exec"})
_ABOUT_OBJECT = frozenset({"vars", "dir"})
_READERS = frozenset({"read_csv", "read_text", "read_bytes", "write_text", "write_bytes", "to_csv"})
_FILE_CALLS = frozenset(
    {"open", "io.open", "numpy.load", "numpy.loadtxt", "numpy.save", "torch.load", "torch.save"}
    | {"os.path.exists", "os.path.isfile", "os.listdir", "os.remove", "os.chdir", "glob.glob"}
    | {"os.system", "os.popen", "subprocess.run", "subprocess.check_output", "subprocess.Popen"}
)
_CLOCKS = frozenset(
    {f"time.{name}{unit}" for name in ("time", "perf_counter", "process_time", "monotonic")
     for unit in ("", "_ns")}
    | {"timeit.timeit", "timeit.repeat", "timeit.default_timer"}
)  # fmt: skip
_KNOWN_TO_INSPECT = frozenset({"getsource", "getdoc", "signature", "Parameter", "Signature"})
_FIGURE_STATE = frozenset({"gca", "gcf", "get_fignums", "fignum_exists"})
_DRAWING = frozenset({"figure", "subplots", "subplot", "plot", "scatter", "bar", "hist", "imshow"})
_PROCESSES = frozenset({"Pool", "Process", "ProcessPoolExecutor"})
_THREADS = frozenset({"Thread", "ThreadPool", "ThreadPoolExecutor"})
_COPIERS = frozenset(
    {"copy.copy", "copy.deepcopy", "pickle.dumps", "pickle.dump", "cloudpickle.dumps"}
)
_GENERATORS = frozenset(
    {"numpy.random.default_rng", "numpy.random.RandomState", "random.Random", "torch.Generator"}
)
# Underscore names that a proxy answers.
_CROSSING = frozenset(
    f"__{name}__"
    for names in (
        ("name", "doc", "len", "iter", "next", "str", "repr", "bool", "float", "int", "index"),
        ("abs", "neg", "hash", "enter", "exit", "call", "getitem", "setitem", "delitem"),
        ("contains", "eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv"),
        ("floordiv", "mod", "pow", "matmul", "radd", "rsub", "rmul", "rtruediv"),
        ("and", "or", "xor"),
    )
    for name in names
)


def findings_of(reading: Reading) -> tuple[Finding, ...]:
    """Return what stands in the way of sealing a test cell, each topic once a line."""
    if not reading.is_python:
        return (_finding(Topic.NOT_PYTHON, 1),)
    found = {(line, topic) for topic, line in _Look(reading).found()}
    return tuple(_finding(topic, line) for line, topic in sorted(found))


def _finding(topic: Topic, line: int) -> Finding:
    kind = FindingKind.CARE if topic in _CARE else FindingKind.OBSTACLE
    return Finding(line, kind, topic.value)


class _Look:
    """Looks at every node of one test cell."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.has_torch = any(
            name.partition(".")[0] in {"torch", "stable_baselines3"}
            for name in reading.ownership.modules
        )
        self.stored = {
            node.id
            for node in reading.nodes
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        }
        self.draws_figures = any(last_part(call.func) in _DRAWING for call in reading.calls())

    def found(self) -> Iterator[tuple[Topic, int]]:
        for node in self.reading.nodes:
            for topic in self._topics(node):
                yield topic, getattr(node, "lineno", 1)
        yield from self._random()
        yield from self._top_level_await(self.reading.tree)

    def _topics(self, node: ast.AST) -> Iterator[Topic]:
        match node:
            case ast.Name():
                yield from self._name(node)
            case ast.Attribute():
                yield from self._attribute(node)
            case ast.Subscript() if not isinstance(node.ctx, ast.Load):
                if self.reading.is_module(node):
                    yield Topic.PATCH
            case ast.Call():
                yield from self._call(node)
                yield from self._outside(node)
            case ast.ClassDef(bases=bases) if any(map(self.reading.touches, bases)):
                yield Topic.SUBCLASS
            case ast.Compare():
                yield from self._compare(node)
            case ast.Await(value=value) if self.reading.touches(value):
                yield Topic.AWAIT
            case ast.AsyncFor(iter=value) if self.reading.touches(value):
                yield Topic.AWAIT
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from self._function(node)

    def _name(self, node: ast.Name) -> Iterator[Topic]:
        if isinstance(node.ctx, ast.Load):
            known = self.stored | self.reading.ownership.given | self.reading.students
            if node.id in _KERNEL_NAMES - known:
                yield Topic.MAGIC
            return
        ownership = self.reading.ownership
        if node.id in ownership.given & ownership.read_by_answers:
            yield Topic.UNSEEN_NAME

    def _attribute(self, node: ast.Attribute) -> Iterator[Topic]:
        reading, dotted = self.reading, self.reading.dotted(node)
        if not isinstance(node.ctx, ast.Load):
            if dotted == "sys.stdin":
                yield Topic.FAKE_INPUT
            elif dotted == "sys.stderr":
                yield Topic.STDERR
            elif reading.is_module(node) and dotted != "sys.stdout":
                yield Topic.PATCH
            return
        if node.attr.startswith("_") and reading.may_be_object(node.value):
            if node.attr == "__class__":
                yield Topic.TYPE_IDENTITY
            elif node.attr not in _CROSSING:
                yield Topic.PRIVATE
        is_of_graph = node.attr in {"requires_grad", "grad_fn", "is_leaf"}
        if self.has_torch and is_of_graph and reading.touches(node.value):
            yield Topic.GRADIENT_FLAG
        if dotted == "sys.modules":
            yield Topic.MODULES

    def _call(self, node: ast.Call) -> Iterator[Topic]:
        reading, dotted = self.reading, self.reading.dotted(node.func)
        name, arguments = last_part(node.func), [*node.args, *(k.value for k in node.keywords)]
        has_students = any(map(reading.touches, arguments))
        if name == "backward" and isinstance(node.func, ast.Attribute) and self.has_torch:
            is_torch = not node.args or isinstance(node.args[0], ast.Attribute | ast.Call)
            if is_torch and reading.touches(node.func.value):
                yield Topic.AUTOGRAD
        if has_students and dotted.startswith(("torch.optim.", "torch.autograd.")):
            yield Topic.AUTOGRAD
        if dotted.startswith("unittest.mock.patch") or name == "monkeypatch":
            is_own = dotted.endswith(".object") and bool(node.args)
            if not (is_own and reading.touches(node.args[0])):
                yield Topic.PATCH
        if dotted in {"setattr", "delattr"} and node.args and reading.is_module(node.args[0]):
            yield Topic.PATCH
        if dotted == "type" and len(node.args) == 3 and reading.touches(node.args[1]):
            yield Topic.SUBCLASS
        is_figure = dotted.startswith("matplotlib.pyplot.") and name in _FIGURE_STATE
        if is_figure and not self.draws_figures:
            yield Topic.FIGURE
        if dotted in {"asyncio.run", "asyncio.gather"} and has_students:
            yield Topic.AWAIT
        if dotted in {"signal.alarm", "signal.setitimer", "signal.signal"}:
            yield Topic.ALARM
        if dotted == "isinstance" and len(node.args) == 2 and reading.touches(node.args[0]):
            kinds = {
                last_part(part) for part in ast.walk(node.args[1]) if isinstance(part, ast.expr)
            }
            if kinds & {"FunctionType", "LambdaType", "MethodType", "GeneratorType"}:
                yield Topic.FUNCTION_TYPE

    def _outside(self, node: ast.Call) -> Iterator[Topic]:
        reading, dotted = self.reading, self.reading.dotted(node.func)
        name = last_part(node.func)
        mentioned = any(map(reading.mentions, [*node.args, *(k.value for k in node.keywords)]))
        if dotted == "warnings.catch_warnings" and any(
            keyword.arg == "record" for keyword in node.keywords
        ):
            yield Topic.WARNINGS
        if dotted in {"pytest.warns", "pytest.deprecated_call"} or name in {
            "assertWarns",
            "assertLogs",
        }:
            yield Topic.WARNINGS
        if name in _PROCESSES and self._asks_somewhere():
            yield Topic.PROCESS
        if name in _THREADS and self._asks_somewhere():
            yield Topic.THREADS
        if dotted in _NAMESPACE or (dotted in _ABOUT_OBJECT and (mentioned or not node.args)):
            yield Topic.NAMESPACE
        if dotted in _FILE_CALLS or name in _READERS or dotted == "pathlib.Path":
            yield Topic.FILES
        if dotted in _CLOCKS:
            yield Topic.TIMING
        if dotted.startswith("inspect.") and mentioned and name not in _KNOWN_TO_INSPECT:
            yield Topic.INSPECT
        if dotted in _COPIERS and any(map(reading.touches, node.args)):
            yield Topic.COPY
        if dotted in {"sys.setrecursionlimit", "sys.settrace", "sys.setprofile"}:
            yield Topic.MODULES
        if dotted == "contextlib.redirect_stderr":
            yield Topic.STDERR

    def _asks_somewhere(self) -> bool:
        return any(
            isinstance(node, ast.Name) and node.id in self.reading.students_values
            for node in self.reading.nodes
        )

    def _compare(self, node: ast.Compare) -> Iterator[Topic]:
        reading = self.reading
        sides = [node.left, *node.comparators]
        types = [
            side
            for side in sides
            if isinstance(side, ast.Call) and reading.dotted(side.func) == "type"
        ]
        is_identity = any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops)
        if types and any(reading.touches(side) for side in sides if side not in types):
            yield Topic.TYPE_IDENTITY
        elif is_identity and not types and all(map(reading.touches, sides)):
            yield Topic.IDENTITY

    def _function(self, node: Function) -> Iterator[Topic]:
        """A function of the test stores past the names that are handed on."""
        ownership = self.reading.ownership
        read_there = ownership.student_names & ownership.read_by_answers
        for part in ast.walk(node):
            if isinstance(part, ast.Global) and read_there & set(part.names):
                yield Topic.UNSEEN_NAME

    def _random(self) -> Iterator[tuple[Topic, int]]:
        reading = self.reading
        drawn = global_draws(reading.tree, reading.dotted)
        shared = any(
            global_draws(answer, reading.dotted).keys() & drawn.keys()
            for answer in reading.ownership.answers
        )
        # Without a seed nobody can expect certain numbers.
        if drawn and shared and seedings(reading.tree, reading.dotted) == 1:
            yield Topic.SHARED_RANDOM, min(drawn.values())
        made = {
            target.id
            for node in reading.nodes
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and reading.dotted(node.value.func) in _GENERATORS
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for name in made:
            yield from self._generator(name)

    def _generator(self, name: str) -> Iterator[tuple[Topic, int]]:
        uses = sum(
            isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
            for node in self.reading.nodes
        )
        for call in self.reading.calls():
            handed = [*call.args, *(keyword.value for keyword in call.keywords)]
            is_handed = any(isinstance(part, ast.Name) and part.id == name for part in handed)
            if uses > 1 and is_handed and self.reading.touches(call.func):
                yield Topic.GENERATOR, call.lineno

    def _top_level_await(self, node: ast.AST) -> Iterator[tuple[Topic, int]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Await | ast.AsyncFor | ast.AsyncWith):
                yield Topic.AWAIT, child.lineno
            elif not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from self._top_level_await(child)
