"""What becomes of a run's folder, whatever an agent and its worker send: without a container."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.training import Command, MetricPoint, RunCommand, RunState, RunStatus
from jupyter_ppo.sandbox.agent_wire import LostError, Wire
from jupyter_ppo.sandbox.container_end import ContainerEnd
from jupyter_ppo.sandbox.frames import Channel, Decoder, encode
from jupyter_ppo.sandbox.run_intake import RunIntake, RunTooLargeError
from jupyter_ppo.sandbox.training_box import TrainingBox
from jupyter_ppo.sandbox.training_follower import TrainingFollower
from jupyter_ppo.training.checkpoints import CheckpointStore
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import current_points, point_line

DISK_BYTES = 2**20
FILE_BYTES = 256 * 1024
Message = tuple[bytes, ...]


@pytest.fixture
def files(tmp_path: Path) -> RunDirectory:
    folder = tmp_path / "run"
    folder.mkdir()
    made = RunDirectory(folder)
    made.create(RunSpec())
    return made


def intake_of(files: RunDirectory, *, keep: int = 2) -> RunIntake:
    return RunIntake(
        files, file_bytes=FILE_BYTES, disk_bytes=DISK_BYTES, keep=keep, checkpoint_step=None
    )


def checkpoint(folder: Path, step: int) -> bytes:
    store = CheckpointStore(folder)
    parts = {"weights.pt": b"%d" % step * 1000}
    store.write(step, step, parts, weights_sha256="0" * 64, is_exact=True)
    return store.path(step).read_bytes()


def point(step: int) -> bytes:
    return point_line(MetricPoint(step, 1.0, {"loss": 1.0})).encode() + b"\n"


def state(kind: RunState, **values: Any) -> Message:
    return (b"state", json.dumps({"state": kind.value} | values).encode())


def messages_of_a_run(folder: Path) -> list[Message]:
    """Return what a courier sends of a run with three checkpoints."""
    messages: list[Message] = []
    for step in (100, 200, 300):
        data = checkpoint(folder, step)
        lines = point(step)
        messages += [
            (b"lines", b"metrics.jsonl", lines[:20]),
            (b"lines", b"metrics.jsonl", lines[20:]),
            (b"file", b"checkpoints/%012d.ckpt" % step, b"%d" % len(data)),
            (b"part", data[:500]),
            (b"part", data[500:]),
            state(RunState.RUNNING, step=step, checkpoint_step=step),
        ]
    model = (folder / "000000000100.ckpt").read_bytes()  # any zip will do
    return [
        *messages,
        (b"file", b"model.zip", b"%d" % len(model)),
        (b"part", model),
        state(RunState.FINISHED, step=300),
    ]


def test_a_run_that_is_cut_off_anywhere_can_be_gone_on_from(
    files: RunDirectory, tmp_path: Path
) -> None:
    (tmp_path / "made").mkdir()
    messages = messages_of_a_run(tmp_path / "made")
    for length in range(len(messages) + 1):
        folder = tmp_path / f"cut{length}"
        shutil.copytree(files.path, folder)
        cut = RunDirectory(folder)
        intake = intake_of(cut)
        for message in messages[:length]:
            intake.take(message)
        intake.close()
        newest = cut.checkpoints().newest()
        at = 0 if newest is None else newest.info.step
        assert newest is None or newest.skipped == ()
        assert [one.step for one in current_points(cut.metrics_file)][: at // 100] == list(
            range(100, at + 1, 100)
        )
        assert cut.read_status().checkpoint_step in {None, at, at - 100}
        assert len(cut.checkpoints().list()) <= 2
        assert not (folder / ".incoming").exists()


def test_an_end_counts_only_when_nothing_of_the_run_is_left(files: RunDirectory) -> None:
    intake = intake_of(files)
    intake.take(state(RunState.RUNNING, step=5))
    intake.take(state(RunState.FINISHED, step=9))
    assert files.read_status().state is RunState.RUNNING
    intake.write_end(None)
    assert (files.read_status().state, files.read_status().step) == (RunState.FINISHED, 9)


@pytest.mark.parametrize(
    "message",
    [
        (),
        (b"lines", b"spec.json", b"{}"),
        (b"lines", b"commands.jsonl", b"{}\n"),
        (b"lines", b"../metrics.jsonl", b"{}\n"),
        (b"state", b" " * 100_000),
        (b"file", b"spec.json", b"10"),
        (b"file", b"env.pkl", b"10"),
        (b"file", b"checkpoints/../spec.json", b"10"),
        (b"file", b"checkpoints/000000000001.ckpt\n", b"10"),
        (b"file", b"/etc/passwd", b"10"),
        (b"file", b"model.zip", b"-1"),
        (b"file", b"model.zip", b"0"),
        (b"file", b"model.zip", b"%d" % (FILE_BYTES + 1)),
        (b"part", b"x"),
        (b"remove", b"spec.json"),
    ],
)
def test_a_message_that_no_courier_sends_ends_the_stream(
    files: RunDirectory, message: Message
) -> None:
    before = sorted(path.name for path in files.path.iterdir())
    intake = intake_of(files)
    with pytest.raises(LostError):
        intake.take(message)
    intake.close()
    assert sorted(path.name for path in files.path.iterdir()) == before


def test_a_file_that_is_longer_than_it_says_ends_the_stream(files: RunDirectory) -> None:
    intake = intake_of(files)
    intake.take((b"file", b"model.zip", b"3"))
    with pytest.raises(LostError):
        intake.take((b"part", b"four"))
    intake.close()
    assert not files.model_file.exists()


def test_what_is_not_what_its_file_holds_is_left_out_and_said(
    files: RunDirectory, tmp_path: Path
) -> None:
    (tmp_path / "made").mkdir()
    good = checkpoint(tmp_path / "made", 100)
    intake = intake_of(files)
    for name, data in [
        (b"checkpoints/000000000200.ckpt", good),  # of another step
        (b"checkpoints/000000000100.ckpt", good[:-30]),
        (b"model.zip", b"\x80\x04."),
    ]:
        intake.take((b"file", name, b"%d" % len(data)))
        intake.take((b"part", data))
    intake.take((b"state", b'{"state": "queued"}'))
    intake.take((b"lines", b"metrics.jsonl", b"\xff\n" + b"x" * 300_000))
    intake.take((b"lines", b"metrics.jsonl", b"the rest of it\n" + point(7) + b'{"step": 8'))
    intake.close()
    assert files.metrics_file.read_bytes() == point(7)
    assert files.checkpoints().list() == []
    assert not files.model_file.exists()
    assert files.log_tail().count("[sandbox]") == 6
    assert files.read_status().state is RunState.STARTING


def test_a_run_that_sends_more_than_its_folder_may_hold_is_ended(files: RunDirectory) -> None:
    intake = intake_of(files)
    event = {"at": "2026-01-01T00:00:00", "kind": "warning", "message": "x" * 4000}
    message = (b"lines", b"events.jsonl", (json.dumps(event).encode() + b"\n") * 60)

    def send_without_end() -> None:
        while True:
            intake.take(message)

    with pytest.raises(RunTooLargeError):
        send_without_end()
    intake.close()
    assert files.size_bytes() < DISK_BYTES + 20 * 2**20


def test_a_log_without_end_keeps_its_end(files: RunDirectory) -> None:
    intake = intake_of(files)
    for _ in range(300):
        intake.take_output(b"x" * 32 * 1024)
    intake.take_output(b"\nthe last line")
    assert files.log_file.stat().st_size <= 4 * 2**20
    assert files.last_log_line() == "the last line"


class Agent:
    """The other side of a box, which is the test."""

    def __init__(self, files: RunDirectory) -> None:
        ours, self.socket = socket.socketpair()
        ours.setblocking(False)
        self.end: ContainerEnd | None = None

        def close_stream() -> None:
            with contextlib.suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)

        box = SimpleNamespace(
            stream=ours,
            close_stream=close_stream,
            how_it_ended=lambda: self.end,
            remove=ours.close,
        )
        engine = SimpleNamespace(close=lambda: None)
        training_box = TrainingBox(
            cast(Any, engine), cast(Any, box), Wire(ours), SandboxLimits(memory_mb=512)
        )
        self.files = files
        self._decoder = Decoder()
        self.run = TrainingFollower(
            training_box, files, intake_of(files), LineReader(files.commands_file)
        )
        with ExitStack() as stack:
            stack.enter_context(files.locked_for_worker())
            self.run.start(stack.pop_all())

    def say(self, channel: Channel, *parts: bytes) -> None:
        data = encode(channel, parts)
        self.socket.sendall(struct.pack(">BxxxI", 1, len(data)) + data)

    def tell(self, **event: Any) -> None:
        self.say(Channel.META, json.dumps(event).encode())

    def hear(self) -> tuple[Channel, tuple[bytes, ...]]:
        """Return the next frame for the agent."""
        self.socket.settimeout(60)
        while True:
            for frame in self._decoder.feed(self.socket.recv(65536)):
                return frame.channel, frame.parts

    def ended(self) -> RunStatus:
        """Wait for the end; return the status that the folder has then."""
        self.run._thread.join(60)
        assert not self.run.is_alive
        assert not self.files.worker_is_alive()
        return self.files.read_status()


@pytest.fixture
def agent(files: RunDirectory) -> Iterator[Agent]:
    made = Agent(files)
    yield made
    made.socket.close()
    made.run.close()
    assert threading.active_count() < 50


def test_a_run_ends_as_its_worker_says(agent: Agent) -> None:
    with pytest.raises(ConflictError), agent.files.locked_for_worker():
        pass
    agent.tell(event="beat", cpu=1.5)
    agent.say(Channel.STDOUT, b"printed\n")
    agent.say(Channel.RUN, *state(RunState.STOPPED, step=7, message="asked to"))
    agent.tell(event="done", ended="exited", code=0, cpu=2.5)
    status = agent.ended()
    assert (status.state, status.step, status.message) == (RunState.STOPPED, 7, "asked to")
    assert agent.run.cpu_seconds == 2.5
    assert agent.files.last_log_line() == "printed"


@pytest.mark.parametrize(
    ("event", "state", "words"),
    [
        ({"ended": "memory", "code": -9}, RunState.FAILED, "512 MiB of memory.*memory_mb"),
        ({"ended": "exited", "code": -11}, RunState.INTERRUPTED, r"ended by itself \(signal 11\)"),
        ({"ended": "exited", "code": 3}, RunState.INTERRUPTED, r"ended by itself \(code 3\)"),
        ({"ended": "exited", "code": None}, RunState.INTERRUPTED, "ended by itself"),
        ({"ended": "failed", "code": 70}, RunState.FAILED, "could not begin: last words"),
        ({}, RunState.INTERRUPTED, "ended by itself"),
    ],
)
def test_a_worker_without_a_last_word_has_the_agents(
    agent: Agent, event: dict[str, Any], state: RunState, words: str
) -> None:
    import re

    agent.say(Channel.STDOUT, b"last words\n")
    agent.tell(event="done", **event)
    status = agent.ended()
    assert status.state is state
    assert re.search(words, status.message)
    assert "begins anew" in status.message
    assert agent.files.read_events()[-1].message == status.message


@pytest.mark.parametrize(
    "say",
    [
        lambda agent: agent.say(Channel.IOPUB, b"x"),
        lambda agent: agent.say(Channel.RUN, b"file", b"spec.json", b"4"),
        lambda agent: agent.say(Channel.META, b"{"),
        lambda agent: agent.say(Channel.STDOUT),
        lambda agent: agent.socket.sendall(struct.pack(">BxxxII", 1, 4, 2**31)),
        lambda agent: agent.socket.close(),
    ],
    ids=["channel", "name", "no JSON", "no parts", "long frame", "end"],
)
def test_an_agent_that_breaks_the_rules_interrupts_only_its_run(
    agent: Agent, say: Callable[[Agent], None]
) -> None:
    spec = agent.files.spec_file.read_bytes()
    say(agent)
    status = agent.ended()
    assert status.state is RunState.INTERRUPTED
    assert "container was lost" in status.message
    assert agent.files.spec_file.read_bytes() == spec


def test_a_container_that_ended_for_lack_of_memory_says_so(agent: Agent) -> None:
    agent.end = ContainerEnd(-9, out_of_memory=True)
    agent.socket.close()
    status = agent.ended()
    assert status.state is RunState.FAILED
    assert "memory_mb" in status.message


@pytest.mark.parametrize("cpu", [math.inf, -1, "much", None, True])
def test_processor_time_that_is_none_is_not_counted(agent: Agent, cpu: Any) -> None:
    agent.tell(event="beat", cpu=cpu)
    agent.tell(event="done", ended="exited", code=0)
    agent.ended()
    assert agent.run.cpu_seconds in {0.0, 1.0}


def test_commands_reach_the_worker_in_whole_lines(agent: Agent) -> None:
    line = json.dumps(RunCommand(Command.PAUSE, id="a").to_dict()).encode()
    with agent.files.commands_file.open("ab", buffering=0) as file:
        file.write(line[:10])
        file.write(line[10:] + b"\n")
    assert agent.hear() == (Channel.RUN, (b"commands", line + b"\n"))


def test_a_worker_that_does_not_end_when_asked_is_killed(agent: Agent) -> None:
    ender = threading.Thread(target=agent.run.end, args=(0.3,))
    ender.start()
    heard = [json.loads(agent.hear()[1][0])["do"] for _ in range(2)]
    assert heard == ["end", "kill"]
    agent.tell(event="done", ended="exited", code=-9)
    ender.join(60)
    assert agent.ended().state is RunState.INTERRUPTED
    assert "did not end in time" in agent.ended().message


def test_a_folder_that_is_gone_ends_the_run_and_leaves_no_thread(agent: Agent) -> None:
    shutil.rmtree(agent.files.path)
    agent.say(Channel.RUN, *state(RunState.RUNNING))
    agent.run._thread.join(60)
    assert not agent.run.is_alive
    assert not os.path.exists(agent.files.path)
