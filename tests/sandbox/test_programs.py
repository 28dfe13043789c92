"""Programs in containers of the real engine, the hostile ones among them.

Most run in one container, one after another: that each is a process of its own, and that none can
harm what comes after it, is part of what is tested.
"""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from docker.errors import APIError

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import (
    BusyError,
    EngineUnavailableError,
    InvalidInputError,
    SandboxError,
)
from jupyter_ppo.domain.execution import Call, Outcome, Program, ProgramRun
from jupyter_ppo.domain.sandbox import LimitHit, PoolStatus, SandboxLimits
from jupyter_ppo.sandbox import agent_wire, program_box
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.frames import Frame
from jupyter_ppo.sandbox.program_box import ProgramBox, _Collected
from jupyter_ppo.sandbox.program_result import order_of
from jupyter_ppo.sandbox.programs import ContainerPrograms

pytestmark = [pytest.mark.docker, pytest.mark.image]

LIMITS = SandboxLimits(
    memory_mb=256, pids=64, disk_mb=64, file_mb=16, open_files=256, output_bytes=65536
)
SLEEP = "import time\ntime.sleep(1000)"
#: Ends the program without the end that ours has; the student's ``os`` is out of the game.
VANISH = "import ctypes\nctypes.CDLL(None)._exit(0)"

RunProgram = Callable[..., ProgramRun]


@pytest.fixture(scope="module")
def box() -> Iterator[ProgramBox]:
    started = ProgramBox.start(LIMITS)
    yield started
    started.close()


@pytest.fixture
def run(box: ProgramBox) -> RunProgram:
    """Run a program in the container that this module shares."""

    def run_code(code: str, *, seconds: float = 120, **fields: Any) -> ProgramRun:
        program = Program(textwrap.dedent(code), **fields)
        return box.run(program, order_of(program), seconds, seconds)

    return run_code


def test_a_program_tells_what_it_wrote_and_what_it_used(run: RunProgram) -> None:
    code = """
        import sys
        room = b"x" * (80 * 2**20)
        print("größe", len(room))
        print("no", file=sys.stderr, end="")
    """
    done = run(code)
    assert (done.outcome, done.success) == (Outcome.SUCCEEDED, True)
    assert done.stdout == f"größe {80 * 2**20}\n"
    assert done.stderr == "no"
    assert done.seconds > 0
    assert 80 < done.memory_mb < 256
    assert (done.error_type, done.traceback, done.locals, done.limit) == (None, None, None, None)


def test_memory_counts_files_in_memory_and_every_process(run: RunProgram) -> None:
    files = """
        import os
        kept = [os.memfd_create("kept") for _ in range(8)]
        for file in kept:
            for _ in range(10):
                os.write(file, b"x" * 2**20)
    """
    assert 80 < run(files).memory_mb < 140
    assert run("pass").memory_mb < 80, "a program has the memory of the one before"
    children = """
        import os, signal
        ends = os.pipe()
        for _ in range(4):
            if os.fork() == 0:
                room = b"x" * (40 * 2**20)
                os.write(ends[1], b"x")
                signal.pause()
        for _ in range(4):
            os.read(ends[0], 1)
    """
    assert 160 < run(children).memory_mb < 256
    assert run("pass").memory_mb < 80


@pytest.mark.parametrize(
    "code", ["if x:", "x = '\0'", "x = '\ud800'", "(" * 10_000, "-" * 200_000 + "1"]
)
def test_code_that_cannot_be_compiled_is_a_syntax_error(run: RunProgram, code: str) -> None:
    done = run(code)
    assert done.outcome is Outcome.SYNTAX_ERROR
    assert done.error_type is not None
    assert done.error_message
    assert done.traceback
    assert done.stdout == ""


def test_a_syntax_error_shows_the_line(run: RunProgram) -> None:
    done = run("x = 1\nif x:")
    assert done.error_type == "IndentationError"
    assert 'File "program.py", line 2' in str(done.traceback)
    assert run("eval('1 +')").outcome is Outcome.RAISED


def test_an_exception_shows_the_programs_own_lines_and_no_others(run: RunProgram) -> None:
    code = """\
        def divide(x):
            return 1 / x
        print("before")
        divide(0)
    """
    done = run(code)
    assert (done.outcome, done.success) == (Outcome.RAISED, False)
    assert done.stdout == "before\n"
    assert (done.error_type, done.error_message) == ("ZeroDivisionError", "division by zero")
    assert done.traceback is not None
    assert done.traceback.count("File ") == done.traceback.count('File "program.py"') == 2
    assert "return 1 / x" in done.traceback
    assert done.stderr == ""


def test_an_exception_with_hostile_text_is_cut_and_cleaned(run: RunProgram) -> None:
    long = run("raise ValueError('\U0001f600' * 100_000)")
    assert long.outcome is Outcome.RAISED
    assert len(str(long.error_message)) == 2000
    assert len(str(long.traceback)) <= 20_000
    assert run("raise ValueError('a\\ud800b')").error_message == "a\ufffdb"
    broken = """
        class Bad(Exception):
            def __str__(self):
                raise KeyError
        raise Bad
    """
    assert run(broken).error_type == "Bad"


@pytest.mark.parametrize(
    ("argument", "outcome", "stderr"),
    [
        ("", Outcome.SUCCEEDED, ""),
        ("0", Outcome.SUCCEEDED, ""),
        ("3", Outcome.RAISED, ""),
        ("'why'", Outcome.RAISED, "why\n"),
    ],
)
def test_an_exit_succeeds_with_zero_only(
    run: RunProgram, argument: str, outcome: Outcome, stderr: str
) -> None:
    done = run(f"import sys\nsys.exit({argument})")
    assert (done.outcome, done.stderr) == (outcome, stderr)


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes\nctypes.string_at(0)",
        "import os\nos.abort()",
        "import os\nos.closerange(0, 1000)",
        "import os\nos.write(255, b'garbage')",
        f"import os\nos.write(255, b'[' * 100_000)\n{VANISH}",
        f"import os\nfor _ in range(100): os.write(255, b'x' * 2**20)\n{VANISH}",
        f'import os\nos.write(255, b\'{{"outcome": "timeout"}}\')\n{VANISH}',
        f'import os\nos.write(255, b\'{{"outcome": "succeeded", "value": 1\')\n{VANISH}',
        f"import os\nos.write(255, b'[' + b'9' * 10_000 + b']')\n{VANISH}",
        'import os\nos.write(255, b\'{"outcome": "succeeded"}\')',
    ],
)
def test_a_program_that_ends_itself_or_forges_its_result_has_died(
    run: RunProgram, code: str
) -> None:
    done = run(f"print('before')\n{code}")
    assert done.outcome is Outcome.DIED
    assert str(done.error_message).startswith("The program")
    assert done.stdout == "before\n"
    assert (done.has_value, done.locals) == (False, None)


def test_what_a_program_patches_is_its_own(run: RunProgram) -> None:
    code = """
        import builtins, contextlib, json, os, sys, threading, traceback
        sys.settrace(lambda *_: 1 / 0)
        sys.setrecursionlimit(60)
        for module in (json, os, threading, traceback, contextlib):
            for name in dir(module):
                if name[:1] != "_":
                    setattr(module, name, None)
        os._exit = os.write = print
        sys.modules.clear()
        x = [1.5, {"a": None}]
        for name in dir(builtins):
            if name[:1] != "_" and name not in ("setattr", "dir"):
                builtins.__dict__[name] = None
    """
    done = run(code, capture_locals=True)
    assert done.outcome is Outcome.SUCCEEDED
    assert done.locals is not None
    assert done.locals["x"] == [1.5, {"a": None}]
    again = run("import json\nprint(json.dumps([len('abc')]))")
    assert again.stdout == "[3]\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_flood_of_output_ends_at_the_limit(run: RunProgram, stream: str) -> None:
    done = run(f"import sys\nwhile True: sys.{stream}.write('x' * 1000)")
    assert done.outcome is Outcome.OUTPUT_LIMIT
    assert done.limit == LimitHit("output_bytes", 65536)
    assert done.error_message == (
        "The program wrote more than 65536 bytes of output (limit output_bytes)."
    )
    assert getattr(done, stream) == "x" * 65536


def test_both_streams_share_the_limit_and_all_of_it_can_be_used(run: RunProgram) -> None:
    code = "import sys\nsys.stdout.write('o' * {})\nsys.stderr.write('e' * 32768)"
    assert run(code.format(32768)).outcome is Outcome.SUCCEEDED
    assert run(code.format(32769)).outcome is Outcome.OUTPUT_LIMIT


@pytest.mark.parametrize(
    "code",
    [
        "import re\nre.match(r'(a*)*b', 'a' * 60)",
        "import signal, time\nfor number in {2, 15}: signal.signal(number, signal.SIG_IGN)\n"
        "while True:\n  try: time.sleep(1000)\n  except BaseException: pass",
        "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()",
        "import atexit, time\natexit.register(time.sleep, 1000)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "class Slow(Exception):\n  def __str__(self):\n    while True: pass\nraise Slow",
    ],
)
def test_a_program_over_its_time_is_ended_whatever_it_does(run: RunProgram, code: str) -> None:
    done = run(code, seconds=1)
    assert done.outcome is Outcome.TIMEOUT
    assert done.limit == LimitHit("cell_seconds", 1)
    assert done.error_message == "The program ran longer than 1 s (limit timeout)."


def test_a_line_that_is_not_finished_is_kept(run: RunProgram) -> None:
    done = run("import os\nprint('half a', end=' ')\nos.kill(os.getpid(), 9)")
    assert (done.outcome, done.stdout) == (Outcome.DIED, "half a ")


def test_a_program_over_its_memory_is_ended(run: RunProgram) -> None:
    done = run("x = []\nwhile True: x.append(bytearray(2**20))")
    assert done.outcome is Outcome.MEMORY
    assert done.limit == LimitHit("memory_mb", 256)
    assert done.memory_mb > 128
    assert run("bytearray(2**45)").limit == LimitHit("memory_mb", 256)


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        (
            "import os\ntry:\n  for number in range(9):\n"
            "    with open(f'/tmp/{number}', 'wb') as file:\n"
            "      file.write(b'x' * 2**22)\nfinally:\n"
            "  for name in os.listdir('/tmp'): os.unlink(f'/tmp/{name}')",
            LimitHit("disk_mb", 64),
        ),
        (
            "import threading, time\nwhile True:\n"
            "  threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()",
            LimitHit("pids", 64),
        ),
        ("files = []\nwhile True: files.append(open('/dev/null'))", LimitHit("open_files", 256)),
    ],
)
def test_an_exception_behind_which_there_is_a_limit_names_it(
    run: RunProgram, code: str, limit: LimitHit
) -> None:
    done = run(code)
    assert (done.outcome, done.limit) == (Outcome.RAISED, limit)


def test_nothing_runs_on_after_a_program(run: RunProgram) -> None:
    code = """
        import os, time
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True:
                        os.write(1, b"x")
                        time.sleep(0.1)
                os._exit(0)
        print("main")
    """
    assert run(code).outcome is Outcome.SUCCEEDED
    found = run("import os\nprint(sum(name.isdigit() for name in os.listdir('/proc')))")
    assert found.stdout == "2\n"  # process 1 and itself
    assert run("import os\nwhile True:\n try: os.fork()\n except OSError: 0", seconds=1)
    assert run("print(1)").stdout == "1\n"


def test_a_fork_that_falls_through_makes_no_second_result(run: RunProgram) -> None:
    code = "import os\nchild = os.fork()\nif child: os.waitpid(child, 0)\nprint('end')"
    done = run(code)
    assert (done.outcome, done.stdout) == (Outcome.SUCCEEDED, "end\nend\n")


def test_threads_and_exit_functions_have_their_turn(run: RunProgram) -> None:
    code = """
        import atexit, threading, time
        atexit.register(print, "last")
        threading.Thread(target=lambda: (time.sleep(0.1), print("thread"))).start()
        print("main")
    """
    assert run(code).stdout == "main\nthread\nlast\n"


def test_standard_input_is_read_to_its_end(run: RunProgram) -> None:
    code = "import sys\nprint(input() + '!')\nprint(sys.stdin.read())\nprint(input())"
    done = run(code, stdin="größe\nb\nc")
    assert done.stdout == "größe!\nb\nc\n"
    assert done.error_type == "EOFError"
    large = run("import sys\nprint(len(sys.stdin.read()))", stdin="x" * 2**20)
    assert large.stdout == f"{2**20}\n"
    assert run("print(input())", stdin="\ud800").stdout == "?\n"


def test_a_function_is_called_with_plain_data(run: RunProgram) -> None:
    code = "def f(x, *, y): return {'sum': x + y, 'pair': (x, y)}"
    done = run(code, call=Call("f", (1,), {"y": 2.5}))
    assert done.has_value
    assert done.value == {"sum": 3.5, "pair": [1, 2.5]}
    none = run("def f(): pass", call=Call("f"))
    assert (none.has_value, none.value) == (True, None)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = 1", "NameError"),
        ("f = 1", "TypeError"),
        ("def f(): return 1 / 0", "ZeroDivisionError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("def f(): raise SystemExit", "SystemExit"),
    ],
)
def test_a_call_that_gives_no_value_has_raised(run: RunProgram, code: str, error: str) -> None:
    done = run(code, call=Call("f"))
    assert (done.outcome, done.error_type) == (Outcome.RAISED, error)
    assert not done.has_value


def test_a_value_that_is_not_plain_data_is_none_at_all(run: RunProgram) -> None:
    done = run("f = object", call=Call("f"))
    assert (done.outcome, done.has_value) == (Outcome.SUCCEEDED, False)


def test_names_come_back_as_plain_data(run: RunProgram) -> None:
    code = """
        import math
        same = same
        changed.append(2)
        text, number, big = "a\\ud800\\0", 1.5, 2**1000
        values = [math.nan, math.inf]
        too_big, too_long, thing = 2**2000, "x" * 10**6, {1}
        _hidden = 3
        def function(): pass
        class Kind: pass
    """
    done = run(code, capture_locals=True, globals={"same": [1], "changed": [1], "nan": math.nan})
    assert done.locals is not None
    nan, inf = done.locals.pop("values")
    assert math.isnan(nan)
    assert inf == math.inf
    expected = {"changed": [1, 2], "text": "a\ufffd\0", "number": 1.5, "big": 2**1000}
    assert done.locals == expected
    assert done.omitted == {
        "too_big": "int (too large)",
        "too_long": "str (too large)",
        "thing": "set (not plain data)",
    }
    raised = run("x = 1\n1 / 0", capture_locals=True)
    assert raised.locals == {"x": 1}
    assert run("x =", capture_locals=True).locals == {}


def test_programs_share_neither_state_nor_random_numbers(run: RunProgram) -> None:
    draws = "import random, numpy\nprint(random.random(), numpy.random.rand())"
    first, second = run(draws).stdout.split(), run(draws).stdout.split()
    assert not set(first) & set(second)
    run("import math, builtins\nmath.pi = 3\nbuiltins.x = 1\nx = 2")
    after = run("import math\nprint(math.pi, 'x' in globals(), hasattr(__builtins__, 'x'))")
    assert after.stdout == f"{math.pi} False False\n"


def test_a_program_finds_imported_what_the_image_says_and_nothing_of_ours(run: RunProgram) -> None:
    code = """
        import sys
        print("numpy" in sys.modules, [name for name in sys.modules if "ppo" in name])
        print(sys.argv, __name__, sys.modules["__main__"].__dict__ is globals())
    """
    assert run(code).stdout == "True []\n['program.py'] __main__ True\n"


def test_a_program_has_no_descriptor_of_the_stream(run: RunProgram) -> None:
    code = """
        import os
        for name in sorted(os.listdir("/proc/self/fd"), key=int):
            try: print(name, os.readlink(f"/proc/self/fd/{name}").split(":")[0])
            except OSError: pass  # the listing's own
        try: os.listdir("/proc/1/fd")
        except PermissionError: print("no")
    """
    assert run(code).stdout == "0 /memfd\n1 pipe\n2 pipe\n255 pipe\nno\n"


# -- several programs, and containers ------------------------------------------------------------


def test_programs_of_one_call_share_a_container_its_time_and_its_output(
    own_containers: Callable[[], list[str]],
) -> None:
    before = own_containers()
    programs = ContainerPrograms()
    write, read = "open('here', 'w').write('x')", "print(open('here').read())"
    _, found = programs.run([Program(write), Program(read)], LIMITS, 120)
    assert found.stdout == "x\n"
    slow, late = programs.run([Program(SLEEP), Program(read)], LIMITS, 1)
    assert (slow.outcome, slow.limit) == (Outcome.TIMEOUT, LimitHit("cell_seconds", 1))
    assert (late.outcome, late.seconds, late.limit) == (Outcome.TIMEOUT, 0, slow.limit)

    large = Program("print('x' * 29_999)\ndef f(): return 'y'", call=Call("f"))
    returns = Program("def f(): return 'z' * 9_999", call=Call("f"))
    runs = programs.run([large, returns, large, large, large], LIMITS, 120)
    assert [run.outcome for run in runs] == [Outcome.SUCCEEDED] * 2 + [Outcome.OUTPUT_LIMIT] * 3
    assert len(runs[2].stdout) < 65536 - 30_000 - 9_999
    assert sum(len(run.stdout + str(run.value or "")) for run in runs) <= 65536
    assert {run.limit for run in runs[2:]} == {LimitHit("output_bytes", 65536)}
    assert "before this one used all of the 65536 bytes" in str(runs[3].error_message)
    assert (runs[3].seconds, runs[3].stdout) == (0, "")

    (alone,) = programs.run([Program(read)], LIMITS, 120)
    assert alone.error_type == "FileNotFoundError"
    programs.close()
    assert own_containers() == before


def test_every_call_gets_a_container_that_nobody_has_used(
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
) -> None:
    before = own_containers()
    programs = ContainerPrograms(pool_size=2, pooled_limits=LIMITS)
    programs.start()
    eventually(lambda: programs.status().ready == 2, "the pool is not filled")
    leave = """
        import os, sys
        places = ["/tmp", "/dev/shm", os.path.expanduser("~")]
        print([os.path.exists(f"{place}/left") for place in places])
        for place in places: open(f"{place}/left", "w").close()
    """
    program = Program(textwrap.dedent(leave))

    def call(_: int) -> list[str]:
        return [run.stdout for run in programs.run([program, program], LIMITS, 120)]

    with ThreadPoolExecutor(4) as threads:
        calls = list(threads.map(call, range(8)))
    assert calls == [["[False, False, False]\n", "[True, True, True]\n"]] * 8
    programs.close()
    assert own_containers() == before


def test_a_warm_container_runs_one_request_and_asks_the_engine_nothing(
    unwell_engine: tuple[Any, str],
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
) -> None:
    before = own_containers()
    server, address = unwell_engine
    programs = ContainerPrograms(address, pool_size=1, pooled_limits=LIMITS)
    assert programs.status() == PoolStatus(0, 1)
    programs.start()
    eventually(lambda: programs.status() == PoolStatus(1, 1), "the pool is not filled")
    server.refuse(r"(GET|POST) ", 500)
    assert programs.run([Program("print(1)")], LIMITS, 60)[0].stdout == "1\n"
    with pytest.raises(EngineUnavailableError):
        programs.run([Program("print(2)")], LIMITS, 60)
    server.refuse("(?!)", 500)
    other = programs.run([Program("print(3)")], SandboxLimits(memory_mb=128), 60)
    assert other[0].stdout == "3\n"
    programs.close()
    assert programs.status().ready == 0
    # Those that were ended while the engine answered nothing go by themselves.
    eventually(lambda: own_containers() == before, "a container is left")


@pytest.mark.parametrize("state", ["starting", "running"])
def test_closing_ends_what_runs_and_removes_every_container(
    engine: Engine,
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
    state: str,
) -> None:
    before = set(own_containers())
    programs = ContainerPrograms()
    failed: list[BusyError] = []

    def run_long() -> None:
        with pytest.raises(BusyError, match="stopping") as caught:
            programs.run([Program(SLEEP)], LIMITS, 300)
        failed.append(caught.value)

    def is_running() -> bool:
        """Whether there is a process beside process 1."""
        (name,) = set(own_containers()) - before or [""]
        try:
            return bool(name) and len(engine.api.top(name.lstrip("/"))["Processes"]) > 1
        except APIError:  # it has not started yet
            return False

    thread = threading.Thread(target=run_long)
    thread.start()
    if state == "starting":
        eventually(lambda: set(own_containers()) != before, "no container is started")
    else:
        eventually(is_running, "the program does not run")
    programs.close()
    thread.join(120)
    assert len(failed) == 1
    assert failed[0].retry_after > 0
    assert set(own_containers()) == before
    with pytest.raises(BusyError, match="stopping"):
        programs.run([Program("1")], LIMITS, 60)


@pytest.mark.parametrize("state", ["starting", "running"])
def test_a_person_stops_what_starts_or_runs(
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    before = set(own_containers())
    programs, stop = ContainerPrograms(), Ending()
    assert {run.outcome for run in programs.run([Program("1")], LIMITS, 60, stop)} == {
        Outcome.SUCCEEDED
    }
    code = Program("print('begun')\n" + SLEEP)
    collected = threading.Event()
    if state == "running":
        add = _Collected.add

        def see(seen: _Collected, frame: Frame) -> None:
            add(seen, frame)
            collected.set()

        monkeypatch.setattr(_Collected, "add", see)
    with ThreadPoolExecutor(1) as threads:
        future = threads.submit(programs.run, [code, code], LIMITS, 300, stop)
        if state == "starting":
            eventually(lambda: set(own_containers()) != before, "no container is started")
        else:
            assert collected.wait(120)
        stop.end()
        first, second = future.result(120)
    assert {run.outcome for run in (first, second)} == {Outcome.STOPPED}
    assert first.error_message == second.error_message == "The program was stopped."
    assert second.seconds == 0
    if state == "running":
        assert first.stdout.startswith("begun")
        assert first.seconds > 0
    (never,) = programs.run([code], LIMITS, 60, stop)
    assert (never.outcome, never.seconds) == (Outcome.STOPPED, 0)
    assert programs.run([Program("1")], LIMITS, 60)[0].outcome is Outcome.SUCCEEDED
    programs.close()
    assert set(own_containers()) == before


def test_closing_does_not_wait_for_a_container_that_starts(
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = set(own_containers())
    endings: list[str] = []
    waits = agent_wire.wait_until_ready

    def wait_long(wire: agent_wire.Wire) -> None:
        """Wait for the end of the stream in place of the first word of a container."""
        try:
            while True:
                waits(wire)
        except SandboxError as error:
            endings.append(error.message)
            raise

    monkeypatch.setattr(agent_wire, "wait_until_ready", wait_long)
    programs = ContainerPrograms(pool_size=1, pooled_limits=LIMITS)
    programs.start()
    eventually(lambda: set(own_containers()) != before, "no container is started")
    programs.close()
    assert len(endings) == 1
    assert "stream ended" in endings[0]
    assert set(own_containers()) == before


def test_a_container_that_hangs_is_ended_from_outside(
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
) -> None:
    monkeypatch.setattr(program_box, "GRACE_SECONDS", 0.5)
    before = set(own_containers())
    box = ProgramBox.start(LIMITS)
    name = (set(own_containers()) - before).pop().lstrip("/")
    engine.api.pause(name)
    program = Program("print(1)")
    assert box.run(program, order_of(program), 1, 1).outcome is Outcome.TIMEOUT
    assert not box.is_alive
    box.close()
    eventually(lambda: set(own_containers()) == before, "the container is still there")


def test_a_container_that_is_lost_is_no_fault_of_the_program(
    engine: Engine,
    own_containers: Callable[[], list[str]],
    eventually: Callable[[Callable[[], bool], str], None],
) -> None:
    before = set(own_containers())
    box = ProgramBox.start(LIMITS)
    assert box.is_alive
    name = (set(own_containers()) - before).pop().lstrip("/")
    engine.api.kill(name)
    eventually(lambda: not box.is_alive, "the loss is not noticed")
    program = Program("print(1)")
    with pytest.raises(SandboxError, match="lost"):
        box.run(program, order_of(program), 60, 60)
    box.close()
    eventually(lambda: set(own_containers()) == before, "the container is still there")


def test_data_that_is_not_plain_is_refused_before_anything_is_started() -> None:
    programs = ContainerPrograms("unix:///nowhere")
    with pytest.raises(InvalidInputError) as caught:
        programs.run([Program("1", globals={"x": object()})], LIMITS, 1)
    assert caught.value.field == "globals"
    programs.close()


def test_a_server_killed_outright_leaves_no_container(
    engine: Engine, eventually: Callable[[Callable[[], bool], str], None]
) -> None:
    script = """
import os
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox.program_box import ProgramBox
box = ProgramBox.start(SandboxLimits(memory_mb=128))
print(box._box.name, flush=True)
os.kill(os.getpid(), 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    name = done.stdout.strip()
    assert name, done.stderr
    filters = {"name": name}
    eventually(
        lambda: not engine.api.containers(all=True, filters=filters), "the container is still there"
    )
