"""The measured ablations as pictures, and the board of locked predictions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.details import DETAILS, detail_of
from jupyter_ppo.domain.errors import ConflictError, NotFoundError, UnavailableError
from jupyter_ppo.widgets import ablations
from jupyter_ppo.widgets.ablation_board import AblationBoard
from jupyter_ppo.widgets.ablation_files import ABLATION_FOLDER, load_ablation
from jupyter_ppo.widgets.ablation_predictions import PredictionFile, Sureness, Verdict
from jupyter_ppo.widgets.ablations import show_ablation

HELPS, SAME, HARMS = (0.0, 0.1, 0.4), (0.3, 0.5, 0.8), (0.6, 0.9, 1.0)


def document(key: str, chance: tuple[float, float, float] | None = HELPS) -> dict[str, Any]:
    detail = detail_of(key)
    low, probability, high = chance or (0, 0, 0)
    better = {"probability": probability, "low": low, "high": high} if chance else None
    curve = {"steps": [1, 2], "iqm": [20.0, 180], "low": [10.0, 170], "high": [30.0, 190]}
    other = {"label": "lambda <0>", "value": 0.0, "final": [90.0, 100, None, 120, 130]}
    return {
        "format": 1,
        "key": key,
        "number": detail.number,
        "title": detail.title,
        "flag": "gae_lambda",
        "environment": "CartPole-v1",
        "varied": "lambda of GAE",
        "kind": "return",
        "metric": "mean return",
        "unit": "reward",
        "lower_is_better": None if chance is None else False,
        "baseline": "lambda 0.95",
        "variants": [
            {
                "label": "lambda 0.95",
                "value": 0.95,
                "final": [180.0, 190, 200, 210, 220],
                "iqm": 200.0,
                "low": 186.0,
                "high": 214.0,
                "better": None,
                "curve": curve,
            },
            {
                **other,
                "label": "between",
                "iqm": 1.0,
                "low": 1.0,
                "high": 1.0,
                "better": None,
                "curve": None,
            },
            {**other, "iqm": 110.0, "low": 95.0, "high": 125.0, "better": better, "curve": curve},
        ],
        "curve_metric": "mean return",
        "log_scale": False,
        "seeds": [1, 2, 3, 4, 5],
        "steps": 20480,
        "sentence": "Lambda <0> is worse.",
        "versions": {},
    }


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of results; only what a test writes is measured."""
    made = tmp_path / "results"
    made.mkdir()
    monkeypatch.setattr(ablations, "load_ablation", lambda key: load_ablation(key, made))
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my-ablation-predictions.jsonl"


def write(folder: Path, **chances: Any) -> None:
    for name, chance in chances.items():
        key = name.replace("_", "-")
        (folder / f"{key}.json").write_text(json.dumps(document(key, chance)))


def test_a_result_is_shown_with_seeds_curves_chances_and_its_sentence(folder: Path) -> None:
    write(folder, core_5=HELPS)
    view = show_ablation("core-5")
    html = view.html
    for words in (
        "Detail 5: Generalised advantage estimation",
        "Varied: lambda of GAE. PPO does “lambda 0.95”;",
        "compared with “between”, “lambda &lt;0&gt;”.",
        "CartPole-v1, 5 seeds, 20,480 environment steps each.",
        "Measured: mean return (reward), higher is better.",
        "lambda 0.95: 5 dots from 180 to 220, middle 200, interval 186 to 214",
        "While training: mean return",
        "1 of 5 runs diverged",
        "10 % [0, 40]",
        "Lambda &lt;0&gt; is worse.",
    ):
        assert words in html, words
    assert "<0>" not in html
    assert len(html) < 40_000
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"].endswith("Lambda <0> is worse.")


def test_what_was_not_measured_is_said_in_a_sentence(folder: Path) -> None:
    assert "has not been measured yet" in show_ablation("atari-3").html
    (folder / "core-2.json").write_text("{")
    assert "core-2.json is damaged" in show_ablation("core-2").html
    with pytest.raises(NotFoundError):
        show_ablation("core-99")


def test_every_result_in_the_package_can_be_shown() -> None:
    for path in ABLATION_FOLDER.glob("*.json"):
        view = show_ablation(path.stem)
        assert view.result is not None, path
        assert view._seen.said == [], path
        assert "<svg" in view.html
        assert len(view.html) < 60_000


def test_nothing_is_revealed_before_a_prediction_is_locked(folder: Path, file: Path) -> None:
    write(folder, core_5=HELPS, core_7=SAME)
    board = AblationBoard(file)
    assert board.key == "core-5"
    assert "compared with “lambda &lt;0&gt;”?" in board._about.value
    before = "".join(getattr(child, "value", "") or "" for child in everything(board))
    assert "What does “lambda 0.95” do to the result" in before
    assert "is worse" not in before
    assert "is worse" not in board.html
    board._press_lock()
    assert "Choose what it does, and how sure you are." in board._answer.value
    assert not file.exists()
    board._verdict.value = Verdict.HELPS
    board._press_lock()
    assert not file.exists()
    board._sureness.value = Sureness.SURE
    board._press_lock()
    assert board._answer.value == ""
    assert "You said: helps (sure). These 5 seeds say: it helps. Right." in board._outcome.value
    assert "Lambda &lt;0&gt; is worse." in board._result.value
    assert board._question.layout.display == "none"
    assert "<td>helps (sure)</td><td>helps</td>" in board.html


def everything(box: Any) -> list[Any]:
    children = getattr(box, "children", ())
    return [box, *(one for child in children for one in everything(child))]


def test_a_prediction_stays_locked_in_every_board_and_after_a_restart(
    folder: Path, file: Path
) -> None:
    write(folder, core_5=HELPS, core_7=SAME)
    board, other_tab = AblationBoard(file), AblationBoard(file)
    board.lock("harms", "a guess")
    with pytest.raises(ConflictError, match="locked before: harms"):
        other_tab.lock("helps", "sure")
    assert "Not as predicted." in other_tab._outcome.value
    with pytest.raises(ConflictError):
        board.lock("helps", "sure")
    again = AblationBoard(file)
    assert again.key == "core-7"
    assert again.predictions["core-5"].verdict is Verdict.HARMS
    again.key = "core-5"
    assert again._question.layout.display == "none"
    assert "locked: harms" in {key: words for words, key in again._choice.options}["core-5"]
    assert len(file.read_text().splitlines()) == 1


def test_the_tally_counts_what_can_be_right_and_how_sure_one_was(folder: Path, file: Path) -> None:
    write(folder, core_1=HELPS, core_2=SAME, core_3=HARMS, core_4=None, core_5=HELPS)
    board = AblationBoard(file)
    for verdict, sureness in (
        ("helps", "sure"),
        ("harms", "sure"),
        ("harms", "a guess"),
        ("helps", "fairly sure"),
    ):
        board.lock(verdict, sureness)
        board.go_on()
    assert board.key == "core-5"
    assert board.tally.splitlines() == [
        "You were right on 2 of 3.",
        "When you were sure: right on 1 of 2.",
        "When you were guessing: right on 1 of 1.",
        "Sure, but not as predicted: Orthogonal initialisation.",
        "Without a verdict, so not counted: 1.",
        "Still open: 1.",
    ]
    board.lock("helps", "a guess")
    board.go_on()
    assert board.tally.endswith("All of them are predicted.")
    assert repr(board) == "<AblationBoard: 5 of 13 details predicted>"


def test_without_any_result_the_board_says_so(folder: Path, file: Path) -> None:
    board = AblationBoard(file)
    assert board.tally == "None of the details has been measured yet."
    assert "has not been measured yet" in board._about.value
    assert board._question.layout.display == "none"
    with pytest.raises(UnavailableError, match="not been measured"):
        board.lock("helps", "sure")
    assert not file.exists()


@pytest.mark.parametrize(
    "line",
    [b"\xff\xfe", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "key": "core-5"}', b"[" * 100_000,
     b'{"format": 1, "key": 3, "prediction": "helps", "sure": "sure"}',
     b'{"format": 1, "key": "core-5", "prediction": "perhaps", "sure": "sure"}'],
)  # fmt: skip
def test_a_damaged_file_is_told_and_nothing_in_it_is_lost(
    folder: Path, file: Path, line: bytes
) -> None:
    write(folder, core_5=HELPS, core_7=SAME)
    AblationBoard(file).lock("helps", "sure")
    with file.open("ab") as end:
        end.write(line)  # cut off: without the end of its line
    before = file.read_bytes()
    board = AblationBoard(file)
    assert "Line 2 of my-ablation-predictions.jsonl cannot be read" in board._damage.value
    assert board.predictions["core-5"].verdict is Verdict.HELPS
    board.lock("makes no difference", "sure")
    assert file.read_bytes().startswith(before)
    assert set(PredictionFile(file).read()) == {"core-5", "core-7"}


def test_a_prediction_that_cannot_be_kept_reveals_nothing(folder: Path, tmp_path: Path) -> None:
    write(folder, core_5=HELPS)
    board = AblationBoard(tmp_path / "missing" / "file.jsonl")
    board._verdict.value, board._sureness.value = Verdict.HELPS, Sureness.SURE
    board._press_lock()
    assert "could not be kept" in board._answer.value
    assert board._result.value == ""
    is_folder = AblationBoard(tmp_path)
    assert "cannot be read" in is_folder._damage.value
    with pytest.raises(UnavailableError):
        is_folder.lock("helps", "sure")
    assert is_folder._result.value == ""


def test_a_file_without_access_is_told(folder: Path, file: Path) -> None:
    write(folder, core_5=HELPS)
    file.symlink_to(file)  # nobody can open it, root neither
    assert "cannot be read" in AblationBoard(file)._damage.value


def test_the_board_has_the_core_details_in_order(folder: Path, file: Path) -> None:
    keys = [key for _, key in AblationBoard(file)._choice.options]
    assert keys == [one.key for one in DETAILS if one.key.startswith("core-")]
    assert len(keys) == 13
