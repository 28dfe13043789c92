"""Experiments: what a learner's code may do, and what is shown, said and saved of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.widgets import experiment as experiment_module
from jupyter_ppo.widgets.experiment import (
    Bars,
    Dots,
    Experiment,
    Frame,
    Heat,
    Line,
    Missing,
    Note,
    Plot,
    Row,
    Table,
    Timeline,
    attempt,
    attempt_several,
)
from jupyter_ppo.widgets.experiment_attempt import MissingValueError, listening

MOST_BYTES = 100_000


def unwritten(*_values: Any) -> Any:
    raise NotImplementedError


def broken(*_values: Any) -> Any:
    msg = "shapes differ\nsecond line"
    raise ValueError(msg)


class Learner:
    def step(self) -> None:
        msg = "no"
        raise TypeError(msg)


def in_a_cell_of_its_own(code: str, **names: Any) -> dict[str, Any]:
    exec(compile(code, f"<cell {len(code)}>", "exec"), names)  # noqa: S102
    return names


#: A learner's function with a slip, and a given one that calls the learner's.
outer = in_a_cell_of_its_own("def outer():\n    return [undefined_inside for _ in 'a']")["outer"]
helper = in_a_cell_of_its_own("def helper():\n    return [unwritten(1)]", unwritten=unwritten)[
    "helper"
]


def shown(*pictures: Any) -> Experiment:
    return Experiment("A title", lambda: list(pictures))


def plotted(*lines: Line, **options: Any) -> Experiment:
    return shown(Plot("A plot", list(lines), "x", "y", **options))


def label(experiment: Experiment) -> str:
    found = re.search(r'aria-label="([^"]*)"', experiment.html)
    return found[1] if found else ""


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (unwritten, "unwritten: not written yet"),
        (lambda: unwritten(1), "unwritten: not written yet"),
        (broken, "broken: ValueError: shapes differ"),
        (lambda: broken(1), "broken: ValueError: shapes differ"),
        (lambda: not_there(1), "not_there: run its cell first"),  # type: ignore[name-defined]  # noqa: F821
        (outer, "outer: NameError: name 'undefined_inside' is not defined"),
        (lambda: [outer()], "outer: NameError: name 'undefined_inside' is not defined"),
        (lambda: [not_there(one) for one in "a"], "not_there: run its cell first"),  # type: ignore[name-defined]  # noqa: F821
        (lambda: [helper() for _ in "a"], "unwritten: not written yet"),
        (lambda: np.linalg.inv(np.zeros((2, 2))), "your function: LinAlgError: Singular matrix"),
        (lambda: Learner().step(), "Learner.step: TypeError: no"),
        (lambda: None, "your function: returned nothing (is a return missing?)"),
        (print, "print: returned nothing (is a return missing?)"),
        (lambda: 1 / 0, "your function: ZeroDivisionError: division by zero"),
    ],
)
def test_what_fails_is_a_reason_in_plain_words(function: Any, reason: str) -> None:
    with listening() as said:
        result = attempt(function)
    assert isinstance(result, Missing)
    assert result.reason == reason
    assert said == [reason]


def test_what_works_is_the_value_and_the_arguments_stay_as_they_were() -> None:
    def spoils(values: Any, more: list[int]) -> Any:
        values *= 0
        more.clear()
        return values

    array, more = np.ones(3), [1, 2]
    assert attempt(spoils, array, more=more).tolist() == [0, 0, 0]
    assert array.tolist() == [1, 1, 1]
    assert more == [1, 2]


def test_several_values_are_always_so_many() -> None:
    assert attempt_several(2, lambda: (1, 2)) == (1, 2)
    first, second = attempt_several(2, unwritten)
    assert first.reason == second.reason == "unwritten: not written yet"
    for result, got in ((5, "one int"), ((1, 2, 3), "3 values")):
        value, _ = attempt_several(2, lambda result=result: result)
        assert value.reason == f"your function: returned {got}, expected 2 values"


def test_what_is_computed_with_a_missing_value_is_missing_too() -> None:
    missing = Missing("because")
    for value in (
        missing + 1,
        2 * missing,
        -missing,
        missing**2,
        missing[1:3],
        missing.mean(),
        np.ones(3) - missing,
        np.cumsum(missing),
        np.exp(missing),
        missing > 3,
    ):
        assert isinstance(value, Missing), value
    assert f"{missing:.3f} {missing}" == "? ?"
    assert not missing
    for needs in (float, len, list, np.asarray):
        with pytest.raises(MissingValueError, match="because"):
            needs(missing)


def test_a_function_that_is_not_written_leaves_its_series_out_and_is_said_once() -> None:
    mine = attempt(unwritten)
    experiment = Experiment(
        "T",
        lambda: [
            Plot(
                "P",
                [Line("yours", None, attempt(unwritten)), Line("reference", None, [1, 2])],
                "x",
                "y",
            ),
            Bars("B", ["a"], {"yours": attempt(unwritten), "reference": [3]}),
            Heat("H", mine),
            Note(f"Sum {attempt(unwritten) + 1:.2f}"),
        ],
    )
    assert experiment.said == ["unwritten: not written yet"]
    assert "reference: 2 points" in experiment.html
    assert "yours" not in experiment.html
    assert "Sum ?" in experiment.html


@pytest.mark.parametrize(
    ("draw", "line"),
    [
        (lambda: not_there(1), "not_there: run its cell first"),  # type: ignore[name-defined]  # noqa: F821
        (lambda: unwritten(1), "unwritten: not written yet"),
        (lambda: broken(1), "broken: ValueError: shapes differ"),
        (lambda: 1 / 0, "The pictures could not be drawn: ZeroDivisionError: division by zero"),
        (lambda: None, "draw returned nothing (is a return missing?)"),
        (lambda: [3], "draw returned int, which is no picture"),
        (lambda: [np.asarray(attempt(unwritten))], "unwritten: not written yet"),
        (lambda: [Note("a"), Table("T", ["a"], [3])], "T: could not be drawn"),  # type: ignore[list-item]
    ],
)
def test_an_error_of_draw_is_one_line(draw: Any, line: str) -> None:
    experiment = Experiment("T", draw)
    assert len(experiment.said) == 1
    assert experiment.said[0].startswith(line)
    assert "Traceback" not in experiment.html


@pytest.mark.parametrize(
    ("y", "line"),
    [
        ([1, float("nan"), 3], "l: 1 of 3 values not finite (NaN or infinite)"),
        ([1, 2], "l: 2 values, but 3 are needed"),
        (np.ones((3, 3)), "l: an array of 2 dimensions, but one series of numbers is needed"),
        (4.0, "l: a single number, but one series of numbers is needed"),
        ("abc", "l: str, but numbers are needed"),
        ([1, "x", 3], "l: not all of it are numbers"),
        ([1, None, 3], "l: 1 of 3 values not finite (NaN or infinite)"),
        ([1, Missing("why"), 3], "why"),
        (object(), "l: not all of it are numbers"),
    ],
)
def test_numbers_that_cannot_be_drawn_are_said(y: Any, line: str) -> None:
    experiment = plotted(Line("l", [0, 1, 2], y))
    if isinstance(y, float) or type(y) is object:
        assert len(experiment.said) == 1
    else:
        assert experiment.said == [line]
    assert "<svg" in experiment.html


def test_series_may_be_anything_that_holds_numbers() -> None:
    torch = pytest.importorskip("torch")
    values = [
        [0, 1.5, 3],
        (0, 1.5, 3),
        np.array([0, 1.5, 3], np.float32),
        torch.tensor([0, 1.5, 3], requires_grad=True),
        [np.float64(0), torch.tensor(1.5), 3],
    ]
    for series in values:
        experiment = plotted(Line("l", None, series))
        assert experiment.said == []
        assert "l: 3 points, 0 at 0, 3 at 2, lowest 0, highest 3" in label(experiment)
    assert plotted(Line("l", None, range(4))).said == []


def test_extreme_numbers_are_drawn() -> None:
    for y in (
        [1e308, -1e308],
        [5, 5, 5],
        [0, 0],
        [1e-300, 2e-300],
        [float("inf"), 1],
        [float("nan")],
        [],
        [3],
        [1e15, 1e15 + 1],
    ):
        for options in ({}, {"y_log": True}, {"y_range": (0, 1)}, {"y_range": (2, 2)}):
            experiment = plotted(Line("l", None, y, band=(y, y)), **options)
            assert not any("could not be drawn" in line for line in experiment.said), (y, options)
            assert "nan" not in re.sub("<text.*?</text>", "", experiment.html)
            assert "inf" not in re.sub(
                "<[^>]*aria-label[^>]*>|not finite|infinite", "", experiment.html
            )


def test_a_line_of_a_million_points_is_small_and_keeps_its_peak() -> None:
    y = np.zeros(200_000)
    y[77_777] = 9.0
    experiment = plotted(
        Line("l", None, y), Line("d", None, y, "dots"), Line("s", None, y, "steps")
    )
    assert "highest 9" in label(experiment)
    assert len(experiment.html) < MOST_BYTES


def test_three_lines_are_drawn_at_once() -> None:
    x = np.linspace(0, 9, 200)

    def draw(a: float) -> list[Any]:
        return [Plot("P", [Line(str(n), x, np.sin(x + n * a)) for n in range(3)], "x", "y")]

    experiment = Experiment("T", draw, {"a": (0.0, 1.0, 0.1, 0.5)})
    times = []
    for number in range(9):
        began = time.perf_counter()
        experiment.set(a=number / 10)
        times.append(time.perf_counter() - began)
    assert sorted(times)[1] < 0.1  # some 10 ms on a machine that is not busy


def test_every_kind_of_picture_has_words_and_numbers() -> None:
    experiment = shown(
        Plot("Plot", [Line("a", None, [1, 2])], "x", "y", marks=[("x", 0.5, "m")]),
        Bars("Bars", ["left", "right"], {"a": [0.25, -0.5], "b": [1, float("nan")]}, "p"),
        Dots("Dots", {"a": [1, 2], "b": [3.0]}, "return", {"a": (1.5, 1, 2)}),
        Heat("Heat", [[1, -2], [0, 0.5]], ["r0", "r1"], ["c0", "c1"]),
        Heat("Large", np.arange(900.0).reshape(30, 30)),
        Frame("Frame", np.zeros((84, 84), np.uint8)),
        Frame("Colours", np.zeros((20, 30, 3), np.uint8)),
        Timeline("Time", [Row("env 0", [(0, 5, "episode")], [(5, "reset")])]),
        Table("Table", ["a", "b"], [["x", 1.25]]),
        Note("One.\nTwo.", tone="warn"),
    )
    assert experiment.said == ["b: 1 of 2 values not finite (NaN or infinite)"]
    assert experiment.html.count('role="img"') == 8
    assert experiment.html.count("<details>") == 6
    assert "left 0.25, right -0.5" in experiment.html
    assert "a: 2 dots from 1 to 2, middle 1.5, interval 1 to 2" in experiment.html
    assert "2 rows and 2 columns, lowest -2, highest 1" in experiment.html
    assert "84 pixels wide and 84 high" in experiment.html
    assert "<p>One.</p><p>Two.</p>" in experiment.html
    assert len(experiment.saved) < MOST_BYTES
    assert experiment.saved.count("<img") == 8


def test_the_image_of_a_frame_is_a_png_with_its_pixels() -> None:
    from io import BytesIO

    from PIL import Image

    from jupyter_ppo.widgets.experiment_grid import png

    rows = [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (9, 9, 9)], [(1, 2, 3), (4, 5, 6)]]
    image = Image.open(BytesIO(png(rows)))
    assert image.size == (2, 3)
    assert [image.getpixel((x, y)) for y in range(3) for x in range(2)] == [
        one for row in rows for one in row
    ]


@pytest.mark.parametrize(
    "picture",
    [
        Heat("H", [[1, 2], [3]]),
        Heat("H", [1, 2]),
        Heat("H", []),
        Frame("F", [[1, 2], [3]]),
        Frame("F", 3),
        Frame("F", [["x"]]),
        Bars("B", ["a", "b"], {"s": [1]}),
        Timeline("T", [Row("r", [(1, 2)])]),  # type: ignore[list-item]
        Dots("D", {"a": 3}, "x"),
    ],
)
def test_a_wrong_picture_is_said_in_one_line(picture: Any) -> None:
    experiment = shown(picture)
    assert len(experiment.said) == 1
    assert "<svg" in experiment.html


def test_what_users_write_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>\"'&"
    experiment = Experiment(
        evil,
        lambda **_: [
            Plot(evil, [Line(evil, None, [1, 2])], evil, evil, marks=[("x", 0.5, evil)],
                 shaded=[("y", 1, 2, evil)]),
            Bars(evil, [evil], {evil: [1]}, evil),
            Dots(evil, {evil: [1]}, evil),
            Heat(evil, [[1.0]], [evil], [evil]),
            Timeline(evil, [Row(evil, [(0, 1, evil)], [(1, evil)])], evil),
            Table(evil, [evil], [[evil]]),
            Note(evil),
            Missing(evil),
        ],
        {"a": [evil, "b"]},
        note=evil,
        labels={"a": evil},
    )  # fmt: skip
    everything = experiment.html + experiment.saved
    everything += "".join(
        child.value for child in experiment.children if isinstance(child, ipywidgets.HTML)
    )
    assert "<script" not in everything
    assert "alert(1)" in everything


def test_controls_are_made_of_plain_values_and_give_them_back() -> None:
    seen: list[dict[str, Any]] = []
    array = np.ones(3)
    experiment = Experiment(
        "T",
        lambda **settings: seen.append(settings) or [Note("x")],
        {
            "whole": (0, 10, 1, 3),
            "part": (0.0, 1.0, 0.1, 0.3),
            "choice": [0.1, 0.2],
            "named": {"ones": array, "none": None},
            "is_on": True,
        },
        labels={"part": "a part"},
    )
    assert experiment.settings == {
        "whole": 3, "part": 0.3, "choice": 0.1, "named": array, "is_on": True,
    }  # fmt: skip
    assert type(experiment.settings["whole"]) is int
    assert "a part: 0.3, choice: 0.1, named: ones, is on: on" in repr(experiment)
    experiment.set(whole=7, named=None, is_on=False)
    assert len(seen) == 2
    assert (seen[-1]["whole"], seen[-1]["named"], seen[-1]["is_on"]) == (7, None, False)
    experiment._controls["part"].widget.value = 0.7000000001
    assert seen[-1]["part"] == 0.7000000001
    for name, value in (("whole", 11), ("choice", 0.5), ("is_on", 3), ("other", 1)):
        with pytest.raises(InvalidInputError) as error:
            experiment.set(**{name: value})
        assert error.value.field == name


@pytest.mark.parametrize(
    "description",
    [(1, 0, 1, 0), (0, 1, 0, 0), (0, 1, 0.1, 2), ("a", "b", 1, 2), (0, 1), [], {}, 3, ["a", "a"],
     (0, float("inf"), 1, 0)],
)  # fmt: skip
def test_what_makes_no_control_is_refused(description: Any) -> None:
    with pytest.raises(InvalidInputError) as error:
        Experiment("T", lambda **_: [], {"name": description})
    assert error.value.field == "name"


def test_it_is_drawn_with_the_functions_as_they_are_now() -> None:
    names: dict[str, Any] = {"attempt": attempt, "Note": Note}
    exec("def draw():\n    return [Note(f'got {attempt(lambda: later())}')]", names)  # noqa: S102
    experiment = Experiment("T", names["draw"])
    assert experiment.said == ["later: run its cell first"]
    names["later"] = lambda: 42
    experiment.redraw()
    assert experiment.said == []
    assert "got 42" in experiment.html


def test_what_is_printed_and_warned_is_shown_and_not_lost(capsys: Any) -> None:
    def draw() -> list[Any]:
        print("<hello>")
        warnings.warn("overflow <here>", stacklevel=1)
        return [Note("x")]

    experiment = Experiment("T", draw)
    assert "<p>&lt;hello&gt;</p>" in experiment.html
    assert experiment.said == ["Warning: overflow <here>"]
    assert capsys.readouterr().out == ""
    print("afterwards")
    assert capsys.readouterr().out == "afterwards\n"


def test_a_redraw_while_it_is_drawn_comes_once_afterwards() -> None:
    calls: list[float] = []
    made: list[Experiment] = []

    def draw(a: float) -> list[Any]:
        calls.append(a)
        if len(calls) == 2:
            made[0].redraw()
            made[0].redraw()
        return [Note("x")]

    made.append(Experiment("T", draw, {"a": (0, 9, 1, 1)}))
    made[0].set(a=2)
    assert calls == [1, 2, 2]


def test_a_slow_drawing_waits_until_the_slider_is_let_go() -> None:
    experiment = Experiment("T", lambda a: [Note(str(time.sleep(0.31)))], {"a": (0, 9, 1, 1)})
    assert not experiment._controls["a"].widget.continuous_update


def test_numbers_stay_open_while_the_pictures_change() -> None:
    experiment = Experiment(
        "T", lambda a: [Plot("P", [Line("l", None, [a, 2])], "x", "y")], {"a": (0, 9, 1, 1)}
    )
    assert "<details>" in experiment.html
    experiment._numbers.value = True
    experiment.set(a=4)
    assert "<details open>" in experiment.html
    assert "<details>" in experiment.saved


def test_pictures_that_are_too_large_to_be_kept_are_said_to_be() -> None:
    rng = np.random.default_rng(0)
    noise = [Frame("F", rng.integers(0, 255, (300, 300, 3))) for _ in range(3)]
    experiment = shown(*noise)
    assert len(experiment.saved) < MOST_BYTES
    assert "too large to be kept" in experiment.saved


def test_the_module_is_light() -> None:
    code = (
        "import sys, ipywidgets, anywidget, time\nbegan = time.perf_counter()\n"
        "import jupyter_ppo.widgets.experiment, jupyter_ppo.widgets.ablation_board\n"
        "took = time.perf_counter() - began\n"
        "print(took, *(name for name in ('numpy', 'torch', 'matplotlib') if name in sys.modules))"
    )
    done = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    assert all(len(one.stdout.split()) == 1 for one in done), done[0].stdout
    assert min(float(one.stdout) for one in done) < 0.5  # some 0.1 s on a machine that is not busy


def test_the_example_of_the_page_for_authors_works() -> None:
    page = (Path(__file__).parents[2] / "docs" / "experiments.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    names: dict[str, Any] = {}
    exec(code.replace("\nExperiment(", "\nshown = Experiment("), names)  # noqa: S102
    shown = names["shown"]
    assert shown.said == ["discounts: run its cell first"]
    assert "Sum of yours: ?" in shown.html
    names["discounts"] = lambda start, gamma, count: [start * gamma**k for k in range(count)]
    shown.set(gamma=0.5)
    assert shown.said == []
    assert "Sum of yours: 2.000" in shown.html


def test_a_loop_that_does_not_end_is_said_and_the_next_drawing_stops_sooner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(experiment_module, "DRAW_SECONDS", 0.3)
    monkeypatch.setattr(experiment_module, "AGAIN_SECONDS", 0.05)
    is_endless = True

    def run_episode() -> int:
        while is_endless:
            pass
        return 3

    box = Experiment(
        "Endless", lambda steps: [Note(f"{attempt(run_episode)}")], {"steps": (1, 9, 1, 2)}
    )
    question = "s of work. Is there a loop that does not end?"
    assert box.said == [f"run_episode: had not come back after 0.3 {question}"]
    box.set(steps=3)
    assert box.said == [f"run_episode: had not come back after 0.05 {question}"]
    is_endless = False
    box.set(steps=4)
    assert box.said == []
    assert "3" in box.html
    is_endless = True
    box.set(steps=5)
    assert box.said == [f"run_episode: had not come back after 0.3 {question}"]


def test_an_interrupt_ends_the_cell_that_draws() -> None:
    def run_episode() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            pass

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Experiment("Endless", lambda: [Note(f"{attempt(run_episode)}")])
    finally:
        signal.signal(signal.SIGINT, before)
