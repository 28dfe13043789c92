"""The run's folder: formats, lock, reserve."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

import jupyter_ppo
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import (
    Command,
    Evaluation,
    EventKind,
    RunCommand,
    RunEvent,
    RunState,
    RunStatus,
)
from jupyter_ppo.training import trust
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader

_ROOT = str(Path(jupyter_ppo.__file__).parents[1])


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    files = RunDirectory(tmp_path)
    files.create(RunSpec(seed=3), name="first", tags=("a", "b"))
    return files


def test_a_new_run_has_a_spec_labels_and_a_status(files: RunDirectory) -> None:
    assert files.read_spec() == RunSpec(seed=3)
    assert files.read_labels() == ("first", ("a", "b"))
    status = files.read_status()
    assert (status.state, status.total_steps) == (RunState.STARTING, RunSpec().planned_steps)
    assert json.loads(files.spec_file.read_text())["format_version"] == 2


def test_labels_change_and_the_spec_does_not(files: RunDirectory) -> None:
    files.write_labels("second", ())
    assert files.read_labels() == ("second", ())
    assert files.read_spec() == RunSpec(seed=3)


def test_an_environment_is_kept_with_its_signature(tmp_path: Path) -> None:
    files = RunDirectory(tmp_path)
    with pytest.raises(InvalidInputError) as caught:
        files.create(RunSpec(), b"pickle")
    assert caught.value.field == "env_sha256"
    assert not files.spec_file.exists()
    files.create(RunSpec(env_sha256=trust.digest(b"pickle")), b"pickle")
    assert (
        trust.read_trusted(files.env_file, files.env_signature_file, trust.Purpose.ENV) == b"pickle"
    )


def test_a_run_of_format_1_is_read(tmp_path: Path) -> None:
    spec = {"env_id": "Acrobot-v1", "learning_rate": 0.01, "anneal_lr": True, "seed": 5}
    files = RunDirectory(tmp_path)
    files.spec_file.write_text(json.dumps({"format_version": 1, "spec": spec}))
    files.state_file.write_text('{"state": "stopped", "step": 5, "seconds": 1.5}')
    files.events_file.write_text(
        '{"at": "2025-01-01T00:00:00.000+00:00", "state": "stopped", "step": 5, "message": "x"}\n'
    )
    assert files.read_spec() == RunSpec(
        env_id="Acrobot-v1", learning_rate=Schedule.linear(0.01), seed=5
    )
    assert files.read_labels() == ("", ())
    assert files.read_status() == RunStatus(RunState.STOPPED, 5, 1.5)
    (event,) = files.read_events()
    assert (event.kind, event.data) == (EventKind.STATE, {"state": "stopped"})


def test_a_status_survives_and_unknown_parts_of_it_are_left_out(files: RunDirectory) -> None:
    status = RunStatus(RunState.PAUSED, 5, 1.25, 100.0, "why", 1000, 2, 4)
    files.announce(status)
    assert files.read_status() == status
    assert files.read_events()[-1].data == {"state": "paused"}
    data = json.loads(files.state_file.read_text())
    files.state_file.write_text(json.dumps({**data, "mood": "good"}))
    assert files.read_status() == status


def test_events_come_back_from_any_offset(files: RunDirectory) -> None:
    event = RunEvent(datetime.now(UTC).replace(microsecond=0), EventKind.CHANGED, 7, "m", {"id": 1})
    files.append_event(event)
    found, offset = files.read_events_from(0)
    assert found == [event]
    files.note(EventKind.WARNING, 8, "careful", reason="x")
    with files.events_file.open("a") as file:
        file.write('{"kind": "later"}\n')
    later, end = files.read_events_from(offset, 1_000_000)
    assert [(one.kind, one.step, one.data) for one in later] == [
        (EventKind.WARNING, 8, {"reason": "x"})
    ]
    assert files.read_events_from(end) == ([], end)
    assert files.read_events(1) == later


def test_evaluations_after_a_rewind_do_not_count(files: RunDirectory) -> None:
    def evaluation(step: int) -> Evaluation:
        return Evaluation(step, step / 10, 1_000_000, True, (1.0, 2.5), (10, 25))

    for step in (100, 200, 300):
        files.append_evaluation(evaluation(step))
    files.rewind_evaluations(300)
    assert b"rewind" not in files.evaluations_file.read_bytes()
    files.rewind_evaluations(150)
    files.append_evaluation(evaluation(250))
    with files.evaluations_file.open("a") as file:
        file.write('{"step": 400}\n{"step"')
    assert files.read_evaluations() == [evaluation(100), evaluation(250)]


def test_a_command_gets_an_id_unless_it_has_one(files: RunDirectory) -> None:
    first = files.append_command(RunCommand(Command.PAUSE))
    second = files.append_command(RunCommand(Command.EXTEND, {"total_steps": 10}, "mine"))
    assert len(first) == 32
    assert second == "mine"
    found = [RunCommand.from_dict(data) for data in LineReader(files.commands_file).read()]
    assert found == [
        RunCommand(Command.PAUSE, id=first),
        RunCommand(Command.EXTEND, {"total_steps": 10}, "mine"),
    ]


def test_size_and_log_are_read_from_the_end(files: RunDirectory) -> None:
    before = files.size_bytes()
    files.log_file.write_bytes(b"first line\n" + b"x" * 5000 + b"\nlast \xff line\n\n")
    assert files.size_bytes() == before + files.log_file.stat().st_size
    assert files.last_log_line() == "last \ufffd line"
    assert files.log_tail(30) == "last \ufffd line\n\n"
    assert files.log_tail().startswith("first line\n")
    files.log_file.unlink()
    assert (files.log_tail(), files.last_log_line()) == ("", "")


_HOLDER = """
import sys, time
from pathlib import Path
from jupyter_ppo.training.files import RunDirectory
with RunDirectory(Path(sys.argv[1])).locked_for_worker():
    print("locked", flush=True)
    time.sleep(600)
"""


def test_the_lock_names_its_holder_and_ends_with_it_however_it_ends(files: RunDirectory) -> None:
    assert (files.worker_is_alive(), files.worker_pid()) == (False, None)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(files.path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": _ROOT},
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert (files.worker_is_alive(), files.worker_pid()) == (True, holder.pid)
        with pytest.raises(ConflictError, match=f"process {holder.pid} works on"):
            files.locked_for_worker().__enter__()
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate(timeout=60)
    assert (files.worker_is_alive(), files.worker_pid()) == (False, None)
    with files.locked_for_worker():
        assert files.worker_pid() == os.getpid()


_FORKS = """
import os, sys, time
from pathlib import Path
from jupyter_ppo.training import worker_lock
with worker_lock.locked(Path(sys.argv[1])) as descriptor:
    worker_lock.keep_from_children(descriptor)
    if not os.fork():
        # Said by the child itself: until it has run, it has the lock that fork() copied.
        print(os.getpid(), flush=True)
    time.sleep(600)
"""


def test_a_program_that_outlives_its_worker_does_not_keep_the_lock(files: RunDirectory) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", _FORKS, str(files.lock_file)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": _ROOT},
    )
    assert worker.stdout is not None
    child = int(worker.stdout.readline())
    try:
        assert files.worker_is_alive()
        worker.kill()
        worker.wait(60)
        assert not files.worker_is_alive()
        os.kill(child, 0)  # it lives
    finally:
        worker.kill()
        os.kill(child, signal.SIGKILL)
        worker.communicate(timeout=60)


def test_looking_at_the_lock_never_keeps_a_worker_from_it(files: RunDirectory) -> None:
    ended = threading.Event()

    def look() -> None:
        while not ended.is_set():
            files.worker_is_alive()

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            with files.locked_for_worker():
                pass
    finally:
        ended.set()
        for looker in lookers:
            looker.join()


def test_a_killed_worker_is_noted_before_the_next_begins(files: RunDirectory) -> None:
    files.mark_start()
    assert files.read_events() == []
    files.write_status(RunStatus(RunState.RUNNING, 500, total_steps=1000))
    files.mark_start()
    assert [event.data for event in files.read_events()] == [{"state": "interrupted"}]
    status = files.read_status()
    assert (status.state, status.step, status.total_steps) == (RunState.STARTING, 500, 1000)


def test_what_a_killed_worker_left_is_put_right(files: RunDirectory) -> None:
    files.checkpoints_folder.mkdir()
    for folder in (files.path, files.checkpoints_folder):
        (folder / ".x.1.2.tmp").write_bytes(b"half")
    with files.events_file.open("ab") as file:
        file.write(b'{"at": ')
    files.prepare_for_worker()
    assert not list(files.path.rglob("*.tmp"))
    assert files.reserve_file.stat().st_size == 64 * 1024
    files.note(EventKind.WARNING, 1)
    assert len(files.read_events()) == 1


_FULL = """
import errno, sys
from pathlib import Path
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
files = RunDirectory(Path(sys.argv[1]))
files.create(RunSpec())
files.prepare_for_worker()
try:
    with open(files.log_file, "wb") as log:
        while True:
            log.write(bytes(4096))
            log.flush()
except OSError as error:
    assert error.errno == errno.ENOSPC, error
files.announce(RunStatus(RunState.FAILED, message="The disk is full." * 100))
assert files.read_status().state is RunState.FAILED
assert files.read_events()[-1].data == {"state": "failed"}
assert not files.reserve_file.exists()
print("told")
"""


def test_a_full_disk_can_still_be_told(tmp_path: Path) -> None:
    # A mount that only these commands see; where that is not allowed there is no such disk.
    mount = f"mount -t tmpfs -o size=300k none {tmp_path}"
    mine = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    try:
        subprocess.run([*mine, mount], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("a small disk cannot be mounted here")
    done = subprocess.run(
        [*mine, f'{mount} && exec "$@"', "sh", sys.executable, "-c", _FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": _ROOT},
        check=False,
    )
    assert done.stdout == "told\n", done.stderr


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no training run"):
        RunDirectory(tmp_path / "none").read_spec()
