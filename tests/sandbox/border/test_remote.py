"""References to the student's objects: what they forward, what they never do."""

from __future__ import annotations

import builtins
import contextlib
import copy
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.sandbox.border.breach import Breach, State
from jupyter_ppo.sandbox.border.errors import ErrorTypes, StudentError
from jupyter_ppo.sandbox.border.remote import (
    FORWARDED,
    Reference,
    Remote,
    make_remote,
    reference_of,
)
from jupyter_ppo.sandbox.border.restoring import restore
from jupyter_ppo.sandbox.border.shared import SharedObjects
from jupyter_ppo.sandbox.border.wire import WireError


class Requests:
    """Notes what would cross, and answers the same to everything."""

    def __init__(self, answer: Any = None, contract: frozenset[str] = frozenset()) -> None:
        self.answer = answer
        self.student_names = frozenset({"Yes"})
        self.contract = contract
        self.crossed: list[tuple[Any, ...]] = []

    def request(self, op: str, *arguments: Any, name: Any = None, keywords: Any = None) -> Any:
        self.crossed.append((op, *arguments[1:], name))
        return self.answer

    def allow(self, use: str) -> bool:
        return use in self.contract

    def fail(self, state: State, text: str) -> Breach:
        return Breach(state, text)


def forged(session: Requests, **node: Any) -> Remote:
    """An object that claims to have every method."""
    whole = {"t": "ref", "v": 1, "n": "Yes", "m": sorted(FORWARDED), "b": [5, "builtins.float"]}
    return make_remote(session, Reference.read(whole | node))


EXPECTED = 271828.0


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x == EXPECTED,
        lambda x: operator.eq(EXPECTED, x),
        lambda x: not operator.ne(x, EXPECTED),
        lambda x: abs(EXPECTED - x) < 1e-9,
        lambda x: x - EXPECTED == 0,
        lambda x: x < EXPECTED,
        lambda x: EXPECTED in x,
        lambda x: x in [EXPECTED],
        lambda x: x.allclose(EXPECTED),
        lambda x: x.equals(EXPECTED),
        lambda x: {EXPECTED} == {x},
        lambda x: operator.eq([EXPECTED], [x]),
        lambda x: x.__array_ufunc__(EXPECTED),
        lambda x: isinstance(x, float),
    ],
)
def test_an_expected_value_never_crosses(use: Any) -> None:
    session = Requests(answer=True)
    with contextlib.suppress(TypeError, AttributeError):
        assert not use(forged(session))
    assert all(EXPECTED not in request for request in session.crossed)


def test_an_array_of_expected_values_never_crosses() -> None:
    np = pytest.importorskip("numpy")
    session = Requests(answer=1)
    expected = np.array([EXPECTED, 1.0])
    value = forged(session)
    for check in (
        lambda: np.all(value == expected),
        lambda: np.all(operator.eq(expected, value)),
        lambda: np.testing.assert_allclose(value, expected) is None,
        lambda: np.testing.assert_array_equal(expected, value) is None,
        lambda: np.array_equal(value, expected),
    ):
        session.crossed.clear()
        with contextlib.suppress(TypeError, AttributeError, AssertionError, Breach):
            assert not check()
        assert all(type(item) is not float for request in session.crossed for item in request)


def test_the_contract_allows_what_the_reference_needed() -> None:
    session = Requests(answer=True, contract=frozenset({"Yes.__eq__", ".push"}))
    value = forged(session)
    assert value == 3
    assert value.push is True
    assert session.crossed == [("call", 3, "__eq__"), ("attr", "push")]
    with pytest.raises(AttributeError, match="pop"):
        _ = value.pop


CLASS = {"k": [5, "builtins.object"]}
FUNCTION = {"b": ["builtins.function"], "f": True}


@pytest.mark.parametrize("node", [CLASS, FUNCTION, {"b": [5], "f": True}])
def test_what_an_instance_may_do_neither_a_class_nor_a_function_may(node: dict[str, Any]) -> None:
    session = Requests(answer=True, contract=frozenset({".push", "Yes.__eq__", ".__eq__"}))
    value = forged(session, **node)
    assert value != 3
    for use in (lambda: value.push, lambda: value.allclose(EXPECTED), lambda: delattr(value, "x")):
        with pytest.raises(AttributeError):
            use()
    with pytest.raises(AttributeError):
        value.limit = EXPECTED
    assert session.crossed == []


@pytest.mark.parametrize(("node", "kind"), [(CLASS, "class"), (FUNCTION, "function"), ({}, "")])
def test_members_and_operators_are_allowed_by_the_kind_of_the_object(
    node: dict[str, Any], kind: str
) -> None:
    session = Requests(answer=True, contract=frozenset({f"{kind}.push", f"{kind or 'Yes'}.__eq__"}))
    value = forged(session, **node)
    assert value.push is True
    value.push = 1
    assert value == 3
    assert len(session.crossed) == 3


def test_an_operator_is_labelled_by_the_class_only_if_the_author_named_it() -> None:
    session = Requests(answer=True, contract=frozenset({".__eq__"}))
    assert forged(session, n="Renamed") == 3
    assert forged(session, n="Yes") != 3


@pytest.mark.parametrize(
    ("classes", "base"),
    [
        ([5, "builtins.tuple"], "tuple"),
        ([5, 6, "numpy.float64", "builtins.float"], "float"),
        ([5, "torch.Tensor", "torch._C.TensorBase"], "Tensor"),
        (["numpy.ndarray"], None),
        ([5, "torch.nn.modules.module.Module"], None),
        ([], None),
    ],
)
def test_a_subclass_of_a_plain_type_is_recognised(classes: list[Any], base: str | None) -> None:
    assert Reference.read({"v": 1, "n": "X", "b": classes}).plain_base == base
    assert Reference.read({"v": 1, "n": "X", "k": classes}).plain_base is None


def test_two_objects_of_the_students_are_compared_by_the_students_code() -> None:
    session = Requests(answer=True)
    left, right = forged(session), forged(session, v=2)
    assert left == right
    assert session.crossed == [("call", right, "__eq__")]


def test_a_reference_is_no_number_and_no_copy_of_it_can_be_made() -> None:
    value = forged(Requests())
    assert not isinstance(value, float | int | str)
    assert type(value).__name__ == "Yes"
    with pytest.raises(TypeError, match="cannot be copied"):
        copy.copy(value)
    with pytest.raises(TypeError, match="cannot be extended"):

        class Deep(forged(Requests(), k=[5])):  # type: ignore[misc]
            pass


@pytest.mark.parametrize("length", [-1, 2**62, 1.5, True, None, "3"])
def test_an_absurd_length_ends_the_check(length: Any) -> None:
    with pytest.raises(Breach, match="length"):
        len(forged(Requests(answer=length)))


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("tvnmkbf"), _JUNK))
def test_a_strange_node_is_refused_or_harmless(node: dict[str, Any]) -> None:
    try:
        reference = Reference.read(node)
    except WireError:
        return
    value = make_remote(Requests(answer="x"), reference)
    assert reference_of(value) is reference
    assert value.__class__ is not float


@given(st.lists(st.integers(0, 5) | st.sampled_from(["builtins.ValueError", "x.Y"]), max_size=6))
def test_an_exception_class_is_the_same_each_time(mro: list[Any]) -> None:
    errors = ErrorTypes()
    with contextlib.suppress(WireError):
        first, second = errors.of(mro), errors.of(mro)
        assert first is second
        made = errors.make(mro, "text")
        assert isinstance(made, ValueError if "builtins.ValueError" in mro else StudentError)


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, Exception) and value.__name__ == name
    ],
)
def test_every_builtin_exception_crosses_as_itself_with_its_text(name: str) -> None:
    mro = [f"builtins.{name}", "builtins.Exception", "builtins.BaseException"]
    error = ErrorTypes().make(mro, "what is wrong", is_next=True)
    assert name in {base.__name__ for base in type(error).__mro__}
    assert "what is wrong" in str(error)


def test_what_is_no_exception_becomes_an_error_of_the_students() -> None:
    for name in ("SystemExit", "KeyboardInterrupt", "GeneratorExit", "BaseException"):
        error = ErrorTypes().make([f"builtins.{name}", "builtins.BaseException"], "3")
        assert (type(error), str(error)) == (StudentError, f"{name}: 3")
    assert type(ErrorTypes().make(["builtins.StopIteration"], "")) is RuntimeError


def test_a_member_that_was_not_offered_is_out_of_reach() -> None:
    class Env:
        secret = 3

        def step(self, action: int) -> int:
            return action

    shared = SharedObjects({"Env.step"}.__contains__)
    env = Env()
    assert shared.tree(env) == {"t": "env", "v": 0, "n": "Env", "m": ["step"], "d": []}
    assert shared.tree(env)["v"] == 0
    assert shared.target(0, "step")[1] == "Env.step"
    for number, member in ((0, "secret"), (0, None), (0, "__class__"), (1, "step"), ("0", "step")):
        with pytest.raises(WireError):
            shared.target(number, member)
    assert shared.tree(env.step)["t"] == "cb"
    with pytest.raises(WireError):
        shared.target(1, "__globals__")


def test_modules_files_and_frames_are_never_handed_over(tmp_path: Any) -> None:
    import sys

    shared = SharedObjects(lambda _: True)
    with open(tmp_path / "x", "w") as file:
        for value in (sys, file, sys._getframe(), sys._getframe().f_code):
            with pytest.raises(TypeError, match="cannot be handed"):
                shared.tree(value)


_VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)


@given(st.lists(_VALUES, max_size=4), st.lists(_VALUES, max_size=4))
def test_restoring_a_list_gives_its_new_contents_in_place(old: list[Any], new: list[Any]) -> None:
    alias, expected = old, copy.deepcopy(new)
    restore(old, new)
    assert old == expected
    assert alias is old


def test_restoring_refuses_what_no_change_in_place_can_do() -> None:
    np = pytest.importorskip("numpy")
    for old, new in (
        ((1,), (2,)),
        (1, 2),
        ([1], (1,)),
        (np.ones(2), np.ones(3)),
        (np.ones(2), np.ones(2, "f4")),
    ):
        with pytest.raises(WireError):
            restore(old, new)
