"""Grading containers that serve one submission after another: what the next one finds."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jupyter_ppo.domain.sandbox import NotebookRun, PoolStatus, SandboxLimits, Verdict
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.notebook import ContainerSandbox

pytestmark = [pytest.mark.docker, pytest.mark.image]

MakeNotebook = Callable[..., dict[str, Any]]
RunInSlot = Callable[..., NotebookRun]

#: Everything that one submission could leave for the next.
LEAVE = """
import os, socket, subprocess, sys, time
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
    open(f"{folder}/secret", "w").write("secret of the first")
    os.makedirs(f"{folder}/closed/inner")
    os.chmod(f"{folder}/closed/inner", 0)
    os.chmod(f"{folder}/closed", 0)
    os.symlink("/nowhere", f"{folder}/link")
    os.mkfifo(f"{folder}/pipe")
os.chdir("/tmp")
for _ in range(1500):
    os.mkdir("deep")
    os.chdir("deep")
os.environ["SECRET"] = "secret of the first"
bound = socket.socket()
bound.bind(("127.0.0.1", 4321))
bound.listen()
named = socket.socket(socket.AF_UNIX)
named.bind("\\0secret")
code = '''
import os, signal, time
for number in range(1, 32):
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
time.sleep(600)
'''
for _ in range(10):
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
time.sleep(1)
os.chmod(os.path.expanduser("~"), 0)
"""
FIND = """
import os, socket
found = {"pids": len([name for name in os.listdir("/proc") if name.isdigit()])}
for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
    found[folder] = sorted(os.listdir(folder))
found["environment"] = "SECRET" in os.environ
found["abstract"] = "secret" in open("/proc/net/unix").read()
made = socket.socket()
made.bind(("127.0.0.1", 4321))
made.close()
kinds = ("shm", "sem", "msg")
found["system_v"] = [len(open(f"/proc/sysvipc/{kind}").readlines()) for kind in kinds]
print(found)
"""
#: Whether the memory of this process, as it was born, holds what the first one printed and ran.
SEARCH = """
import re
needle, count = re.compile(b"abcdefgh(?:1)234567890abcdefgh"), 0  # which is not what it finds
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        fields = line.split()
        if "rw" not in fields[1] or line.rstrip().endswith("[vvar]"):
            continue
        start, stop = (int(each, 16) for each in fields[0].split("-"))
        try:
            memory.seek(start)
            data = memory.read(stop - start)
        except OSError:
            continue
        count += len(needle.findall(data))
        del data
print(count)
"""


@pytest.fixture
def slots() -> Iterator[KernelSlots]:
    made = KernelSlots(4, idle=1)
    yield made
    made.close()


@pytest.fixture
def run_in(notebook_of: MakeNotebook, slots: KernelSlots) -> RunInSlot:
    sandbox = ContainerSandbox(slots=slots)

    def run_sources(*sources: str, **limits: Any) -> NotebookRun:
        wanted = SandboxLimits(**({"memory_mb": 512, "cell_seconds": 60} | limits))
        return asyncio.run(sandbox.run(notebook_of(*sources), wanted))

    return run_sources


def printed(run: NotebookRun) -> str:
    assert run.verdict is Verdict.RAN, run.detail
    outputs = [output for cell in run.notebook["cells"] for output in cell["outputs"]]
    assert all(output["output_type"] == "stream" for output in outputs), outputs
    return "".join(output["text"] for output in outputs)


def test_the_next_submission_finds_nothing_of_the_last(
    run_in: RunInSlot, slots: KernelSlots
) -> None:
    assert printed(run_in(LEAVE)) == ""
    assert slots.status() == PoolStatus(1, 1)
    found = ast.literal_eval(printed(run_in(FIND)))
    assert found == {
        "pids": 3,  # process 1, the relay, the kernel
        "/tmp": [".kernel"],
        "/dev/shm": [],
        "/home/student": [".ipython"],
        "environment": False,
        "abstract": False,
        "system_v": [1, 1, 1],
    }


def test_no_memory_of_the_last_submission_is_born_into_the_next(run_in: RunInSlot) -> None:
    text = "abcdefgh1234567890" * 3
    show = f"print({text!r} * 1000)"
    seen = printed(run_in(*[show] * 5, SEARCH)).splitlines()
    assert int(seen[-1]) > 0  # it is found where it is
    assert printed(run_in(SEARCH)) == "0\n"


def test_a_container_serves_as_many_as_was_set(run_in: RunInSlot, slots: KernelSlots) -> None:
    boots = [
        printed(run_in("print(open('/proc/1/stat').read().rpartition(')')[2].split()[19])"))
        for _ in range(5)
    ]
    assert len(set(boots[:4])) == 1
    assert boots[4] != boots[0]


def test_numbers_differ_from_one_submission_to_the_next(run_in: RunInSlot) -> None:
    draw = "import random, numpy; print(random.random(), numpy.random.random())"
    first, second = printed(run_in(draw)).split(), printed(run_in(draw)).split()
    assert first[0] != second[0]
    assert first[1] != second[1]


@pytest.mark.parametrize(
    ("source", "verdict", "is_kept"),
    [
        ("import os; os._exit(3)", Verdict.KERNEL_DIED, True),
        ("import os; os.kill(os.getppid(), 9)\nwhile True: pass", Verdict.KERNEL_DIED, False),
        # A reader that is slower than the flood meets the memory limit first.
        ("while True: print('x' * 10_000)", None, True),
        ("kept = bytearray(2**31)\nwhile True: pass", Verdict.MEMORY, True),
        ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", None, True),
        ("while True: pass", Verdict.CELL_TIMEOUT, True),
    ],
)
def test_who_ends_a_kernel_ends_only_his_own_run(
    run_in: RunInSlot, slots: KernelSlots, source: str, verdict: Verdict | None, is_kept: bool
) -> None:
    run = run_in(source, cell_seconds=4, pids=64)
    assert run.verdict is not Verdict.RAN
    assert verdict in {None, run.verdict}, run.detail
    assert slots.status().ready == is_kept
    assert printed(run_in("print(1)", cell_seconds=30, pids=64)) == "1\n"


def test_the_relay_cannot_be_read_or_traced(run_in: RunInSlot) -> None:
    source = """
import os
relay = os.getppid()
assert relay != 1
for name in ("mem", "fd", "environ"):
    try:
        os.listdir(f"/proc/{relay}/fd") if name == "fd" else open(f"/proc/{relay}/{name}", "rb")
    except PermissionError:
        print(name, "is closed")
"""
    assert printed(run_in(source)) == "mem is closed\nfd is closed\nenviron is closed\n"
