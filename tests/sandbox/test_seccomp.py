from __future__ import annotations

import errno
import struct

import pytest

from jupyter_ppo.sandbox.inside import agent_program
from jupyter_ppo.sandbox.inside.seccomp import program

X86_64, I386 = 0xC000003E, 0x40000003
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


def verdict(number: int, argument: int = 0, second: int = 0, *, arch: int = X86_64) -> int:
    """Interpret the filter for one system call, as seccomp(2) does."""
    code = program()
    instructions = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    memory = {0: number, 4: arch}
    for at, value in ((16, argument), (24, second)):
        memory |= {at: value & 0xFFFFFFFF, at + 4: value >> 32}
    accumulator = at = 0
    while True:
        operation, if_true, if_false, value = instructions[at]
        at += 1
        match operation:
            case 0x20:
                accumulator = memory[value]
            case 0x15:
                at += if_true if accumulator == value else if_false
            case 0x35:
                at += if_true if accumulator >= value else if_false
            case 0x06:
                return value
            case _:
                raise AssertionError(operation)


@pytest.mark.parametrize("number", [0, 1, 9, 56, 57, 59, 202, 435])  # read .. clone3
def test_ordinary_calls_are_allowed(number: int) -> None:
    assert verdict(number) == ALLOW


@pytest.mark.parametrize("number", [101, 321, 272, 308, 165])
def test_calls_that_a_notebook_never_needs_are_not_permitted(number: int) -> None:
    assert verdict(number) == ERRNO | errno.EPERM


def test_io_uring_seems_not_to_exist() -> None:
    assert {verdict(number) for number in (425, 426, 427)} == {ERRNO | errno.ENOSYS}


@pytest.mark.parametrize("family", [1, 2, 10, 16])
def test_families_that_a_kernel_needs_are_allowed(family: int) -> None:
    assert verdict(41, family) == ALLOW


@pytest.mark.parametrize("family", [0, 3, 17, 38, 40])  # packet, alg, vsock among them
def test_other_families_are_refused(family: int) -> None:
    assert verdict(41, family) == ERRNO | errno.EAFNOSUPPORT


PROCESS_FIRST = [302, 142, 203, 314, 256, 279]  # prlimit64 .. move_pages
OWN, OTHER = [0, 7 << 32], [1, 2, 2**31, 2**32 - 1, 7 << 32 | 1, 2**64 - 1]


@pytest.mark.parametrize("number", PROCESS_FIRST)
def test_a_process_changes_its_own_limits_and_priority_alone(number: int) -> None:
    # A process id is an int: the operating system takes the lower half of the argument.
    assert {verdict(number, pid) for pid in OWN} == {ALLOW}
    assert {verdict(number, pid) for pid in OTHER} == {ERRNO | errno.EPERM}


def test_a_scheduler_is_set_for_oneself_and_for_others_seemingly() -> None:
    assert {verdict(144, pid) for pid in OWN} == {ALLOW}
    assert {verdict(144, pid) for pid in OTHER} == {ERRNO | 0}


@pytest.mark.parametrize(("number", "kinds", "everyone"), [(141, (0, 1), 2), (251, (1, 2), 3)])
def test_a_priority_is_set_for_oneself_alone(
    number: int, kinds: tuple[int, int], everyone: int
) -> None:
    for kind in kinds:
        assert {verdict(number, kind, who) for who in OWN} == {ALLOW}
        assert {verdict(number, kind, who) for who in OTHER} == {ERRNO | errno.EPERM}
    for kind in (everyone, everyone | 5 << 32):
        assert {verdict(number, kind, who) for who in OWN + OTHER} == {ERRNO | errno.EPERM}


def test_every_jump_of_the_filter_stays_within_it() -> None:
    length = len(program()) // 8
    assert length < 256
    for number in range(512):
        assert verdict(number, 1, 1) & 0xFFFF0000 in {ALLOW, ERRNO}


def test_a_foreign_architecture_is_killed() -> None:
    assert verdict(1, arch=I386) == KILL


def test_the_x32_variant_of_a_call_is_not_permitted() -> None:
    assert verdict(0x40000000 | 101) == ERRNO | errno.EPERM


def test_the_agents_program_is_one_argument_that_linux_accepts() -> None:
    text = agent_program()
    compile(text, "agent", "exec")
    assert len(text.encode()) < 128 * 1024  # MAX_ARG_STRLEN
