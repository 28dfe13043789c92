"""The examiner's container: what its process may do, and that nothing of it stays."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.exam import CheckState, Exam, ExamCell
from jupyter_ppo.sandbox.examination import Examination
from jupyter_ppo.sandbox.examiner_box import ExaminerBox
from jupyter_ppo.sandbox.frames import MAX_FRAME, Channel, encode

pytestmark = [pytest.mark.docker, pytest.mark.image]

ASK = """\
import json, os, socket, sys
def fails(do):
    try: do()
    except OSError: return True
    return False
status = open("/proc/self/status").read()
found = {
    "user": os.getuid(),
    "parent": os.getppid(),
    "leads": os.getsid(0) == os.getpid(),
    "descriptors": [int(name) for name in os.listdir("/proc/self/fd")],
    "oom": open("/proc/self/oom_score_adj").read().strip(),
    "filtered": "Seccomp:\\t2" in status,
    "process_1": fails(lambda: os.listdir("/proc/1/fd")),
    "network": fails(lambda: socket.create_connection(("192.0.2.1", 80), 1)),
    "read_only": fails(lambda: open("/opt/x", "w")),
    "home": os.listdir("."),
    "numpy": "numpy" in sys.modules,
}
json.dumps(found)
"""


@pytest.fixture(scope="module")
def box() -> Iterator[ExaminerBox]:
    made = ExaminerBox.start("a version", ["numpy"])
    yield made
    made.close()


def examine(box: ExaminerBox) -> Examination:
    made = Examination(box, Exam((), frozenset()), 30, time.monotonic() + 120)
    made.begin()
    return made


def test_an_examiner_is_shut_in_as_a_students_kernel_is(box: ExaminerBox) -> None:
    examination = examine(box)
    serving = box.is_alive
    run = examination.check(ExamCell(1, ASK, is_test=True))
    examination.close()
    assert (serving, box.is_alive) == (False, True)
    assert run.state is CheckState.PASSED, run
    assert run.value is not None
    found = json.loads(run.value.strip("'"))
    descriptors = found.pop("descriptors")
    assert descriptors == [
        0,
        1,
        2,
        3,
        4,
        250,
    ]  # 3: nothing to read, 4: the listing, 250: the border
    assert found == {
        "user": 10001,
        "parent": 1,
        "leads": True,
        "oom": "1000",
        "filtered": True,
        "process_1": True,
        "network": True,
        "read_only": True,
        "home": [],
        "numpy": True,
    }


def test_a_flood_for_an_examiner_that_does_not_read_is_dropped(box: ExaminerBox) -> None:
    examination = examine(box)
    flood = encode(Channel.BORDER, [b"{}", b"x" * (MAX_FRAME // 4)])
    order = {"do": "given", "code": "import time; time.sleep(3)"}
    box.wire.post(encode(Channel.CHECK, [json.dumps(order).encode()]))
    for _ in range(12):
        box.wire.post(flood)
    end = time.monotonic() + 60
    while box.wire.waiting and time.monotonic() < end:
        box.wire.turn(end)
    examination.close()
    assert box.is_alive


def test_a_container_that_is_gone_is_noticed(
    own_containers: Callable[[], list[str]],
) -> None:
    before = set(own_containers())
    box = ExaminerBox.start()
    examination = examine(box)
    box.end()
    with pytest.raises(SandboxError, match="examiner"):
        examination.check(ExamCell(1, "1", is_test=True))
    with pytest.raises(SandboxError, match="examiner"):
        examination.close()
    assert not box.is_alive
    box.close()
    assert set(own_containers()) == before
