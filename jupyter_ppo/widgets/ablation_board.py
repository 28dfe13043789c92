"""The switchboard of PPO's details: predict what one does, lock it, and only then see."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets

from jupyter_ppo.domain.ablations import AblationResult
from jupyter_ppo.domain.details import DETAILS, Detail, DetailGroup
from jupyter_ppo.domain.errors import PPOError, UnavailableError
from jupyter_ppo.widgets.ablation_predictions import (
    Prediction,
    PredictionFile,
    Sureness,
    Verdict,
)
from jupyter_ppo.widgets.ablations import AblationView, measured_verdict, setting_words
from jupyter_ppo.widgets.control_style import ControlStyle, Kit, alert
from jupyter_ppo.widgets.saved_display import SavedBox, SavedDisplay

#: Beside the notebook.
FILE_NAME: Final = "my-ablation-predictions.jsonl"
_HEADING: Final = "What does each detail of PPO do?"
_INTRO: Final = (
    "Choose a detail. Say what it does to the result, and how sure you are. Your prediction is "
    "locked for ever in {file}, then the measurement is shown."
)
_MEANINGS: Final = {
    Verdict.HELPS: "it helps: without it the result is worse",
    Verdict.NO_DIFFERENCE: "it makes no difference that these runs can show",
    Verdict.HARMS: "it harms: without it the result is better",
}


class AblationBoard(SavedBox):
    """The 13 core details: a prediction of each, which cannot be taken back, then the result.

    Predictions are kept in a file beside the notebook, so they are there after a restart.
    """

    def __init__(self, file: Path | str = FILE_NAME) -> None:
        """Show the first detail without a prediction. ``file`` keeps the predictions."""
        self._file = PredictionFile(file)
        self._details = [one for one in DETAILS if one.group is DetailGroup.CORE]
        self._views = {one.key: AblationView(one) for one in self._details}
        self._predictions: dict[str, Prediction] = {}
        self._is_setting = False
        self._kit = kit = Kit()
        self._display = SavedDisplay(self, self._saved_html)
        self._choice = kit.make(
            ipywidgets.Dropdown,
            layout=kit.layout(width="auto", max_width="100%"),
            description="Detail",
            options=[(one.title, one.key) for one in self._details],
        )
        self._choice.style.description_width = "initial"
        following = kit.button(
            "Next open one", "arrow-right", "Go to a detail you have not predicted", self.go_on
        )
        self._about, self._answer = kit.text(), kit.text("ppo-alert")
        self._verdict = self._radio("Your prediction", {_MEANINGS[one]: one for one in Verdict})
        self._sureness = self._radio("How sure", {_sure_words(one): one for one in Sureness})
        self._lock_button = kit.button(
            "Lock my prediction", "lock", "It cannot be changed afterwards", self._press_lock
        )
        self._lock_button.button_style = "primary"
        self._question = kit.column([self._verdict, self._sureness, kit.row([self._lock_button])])
        self._outcome, self._result = kit.text("ppo-status"), kit.text()
        self._tally, self._damage = kit.text(), kit.text("ppo-alert")
        super().__init__(
            children=[
                ControlStyle(kit),
                kit.text("ppo-title", value=_HEADING),
                kit.text(value=escape(_INTRO.format(file=self._file.path.name))),
                self._damage,
                kit.row([self._choice, following]),
                self._about,
                self._question,
                self._answer,
                self._outcome,
                self._result,
                self._tally,
            ],
            layout=kit.layout(),
            _dom_classes=("ppo-controls", "ppo-x", "ppo-ablation-board"),
        )
        self._is_open = True
        self._read()
        self.go_on()
        self._choice.observe(self._chosen, "value")
        for radio in (self._verdict, self._sureness):
            radio.observe(self._ticked, "value")

    def __repr__(self) -> str:
        count = len(self._locked())
        return f"<AblationBoard: {count} of {len(self._details)} details predicted>"

    @property
    def key(self) -> str:
        """The detail that is shown, such as "core-5"."""
        return str(self._choice.value)

    @key.setter
    def key(self, key: str) -> None:
        self._choice.value = key

    @property
    def predictions(self) -> Mapping[str, Prediction]:
        """What is locked, by detail."""
        return dict(self._predictions)

    @property
    def tally(self) -> str:
        """How many predictions were right so far, and how many of those you were sure of."""
        return "\n".join(tally_lines(self._results(), self._locked()))

    @property
    def html(self) -> str:
        """What the notebook keeps: every locked prediction beside its result."""
        return self._display.html

    def lock(self, verdict: Verdict | str, sureness: Sureness | str) -> None:
        """Lock a prediction for the detail that is shown, and show the result.

        Raises ``ConflictError`` when it is locked already, ``UnavailableError`` when it could not
        be kept or the detail was not measured; then nothing is shown.
        """
        view = self._views[self.key]
        if view.result is None:
            raise UnavailableError(view.text, field="key")
        try:
            self._file.lock(self.key, Verdict(verdict), Sureness(sureness))
        finally:
            self._read()
            self._refresh()

    def go_on(self) -> None:
        """Show the next detail without a prediction that has a result, if there is one."""
        keys = [one.key for one in self._details]
        place = keys.index(self.key)
        for key in keys[place:] + keys[:place]:
            if key not in self._predictions and self._views[key].result is not None:
                self._choice.value = key
                break
        self._refresh()

    def _radio(self, label: str, options: Mapping[str, Any]) -> Any:
        made = self._kit.make(
            ipywidgets.RadioButtons,
            layout=self._kit.layout(width="auto"),
            description=label,
            options=list(options.items()),
            value=None,
        )
        return made

    def _chosen(self, _change: Any) -> None:
        if not self._is_setting:
            self._answer.value = ""
            self._refresh()

    def _ticked(self, change: Any) -> None:
        if change["new"] is not None:
            self._answer.value = ""

    def _press_lock(self) -> None:
        verdict, sureness = self._verdict.value, self._sureness.value
        if verdict is None or sureness is None:
            self._answer.value = alert("Choose what it does, and how sure you are.")
            return
        try:
            self.lock(verdict, sureness)
        except PPOError as error:
            self._answer.value = alert(error.message)
        else:
            self._answer.value = ""

    def _read(self) -> None:
        """Read the file; it may have grown in another tab."""
        try:
            self._predictions = self._file.read()
            self._damage.value = alert(self._file.damage)
        except PPOError as error:
            self._damage.value = alert(error.message)

    def _results(self) -> dict[str, AblationResult]:
        return {key: view.result for key, view in self._views.items() if view.result is not None}

    def _locked(self) -> dict[str, Prediction]:
        return {key: one for key, one in self._predictions.items() if key in self._views}

    def _refresh(self) -> None:
        """Show the detail that is chosen: the question, or the prediction and the result."""
        view = self._views[self.key]
        prediction = self._predictions.get(self.key)
        is_open = prediction is None and view.result is not None
        self._about.value = self._about_html(view)
        self._question.layout = self._kit.layout(display="flex" if is_open else "none")
        if is_open:
            self._verdict.value = self._sureness.value = None
        outcome = outcome_words(prediction, view.result) if prediction else ""
        self._outcome.value = f"<strong>{escape(outcome)}</strong>" if outcome else ""
        self._result.value = view.html if prediction else ""
        lines = "".join(
            f"<p>{escape(line)}</p>" for line in tally_lines(self._results(), self._locked())
        )
        self._tally.value = f"{self._display.style}<hr>{lines}"
        self._label_choices()
        self._display.renew()

    def _label_choices(self) -> None:
        """Say in the list which details are locked."""
        self._is_setting = True
        try:
            key = self.key
            options = [(self._option(one), one.key) for one in self._details]
            if options != list(self._choice.options):
                self._choice.options = options
                self._choice.value = key
        finally:
            self._is_setting = False

    def _option(self, detail: Detail) -> str:
        name = f"{detail.number}. {detail.title}"
        if self._views[detail.key].result is None:
            return f"{name} (not measured)"
        prediction = self._predictions.get(detail.key)
        return f"{name} (locked: {prediction.verdict})" if prediction else name

    def _about_html(self, view: AblationView) -> str:
        about = f"<p>{escape(view.detail.summary)}</p>"
        if view.result is None:
            return f"{about}<p>{escape(view.text)}</p>"
        if view.detail.key in self._predictions:
            return about
        result = view.result
        question = (
            f"What does “{result.baseline}” do to the result, compared with "
            f"“{result.variants[-1].label}”?"
        )
        return (
            f"{about}<p>{escape(setting_words(result))}</p>"
            f"<p><strong>{escape(question)}</strong></p>"
        )

    def _saved_html(self, name: str) -> str:
        rows = []
        results, locked = self._results(), self._locked()
        for one in self._details:
            prediction, result = locked.get(one.key), results.get(one.key)
            said = f"{prediction.verdict} ({prediction.sureness})" if prediction else "open"
            found = measured_words(result) if prediction and result else ""
            cells = (f"{one.number}. {one.title}", said, found)
            rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        lines = "".join(f"<p>{escape(line)}</p>" for line in tally_lines(results, locked))
        heads = "".join(
            f'<th scope="col">{one}</th>' for one in ("Detail", "Your prediction", "Measured")
        )
        return (
            f'<div class="{name}"><p><strong>{_HEADING}</strong></p><table><thead><tr>{heads}'
            f"</tr></thead><tbody>{''.join(rows)}</tbody></table>{lines}"
            "<p>Run the cell again to go on.</p></div>"
        )


def measured_words(result: AblationResult) -> str:
    """Return the verdict of the data in words."""
    verdict = measured_verdict(result)
    return verdict.value if verdict else "no verdict: neither direction is better"


def outcome_words(prediction: Prediction, result: AblationResult | None) -> str:
    """Compare a prediction with the result."""
    said = f"You said: {prediction.verdict} ({prediction.sureness})."
    if result is None:
        return f"{said} It has not been measured yet."
    verdict = measured_verdict(result)
    if verdict is None:
        return f"{said} These data give no verdict: neither direction is better. It is not counted."
    seeds = len(result.seeds)
    found = {
        Verdict.HELPS: f"These {seeds} seeds say: it helps.",
        Verdict.NO_DIFFERENCE: f"These {seeds} seeds show no clear difference.",
        Verdict.HARMS: f"These {seeds} seeds say: it harms.",
    }[verdict]
    return f"{said} {found} {'Right.' if verdict is prediction.verdict else 'Not as predicted.'}"


def tally_lines(
    results: Mapping[str, AblationResult], predictions: Mapping[str, Prediction]
) -> list[str]:
    """Return how many predictions were right, and how good the sure ones were."""
    judged = {
        key: (one, verdict)
        for key, one in predictions.items()
        if key in results and (verdict := measured_verdict(results[key])) is not None
    }
    left = sum(key not in predictions for key in results)
    if not results:
        return ["None of the details has been measured yet."]
    lines = []
    right = sum(one.verdict is verdict for one, verdict in judged.values())
    if judged:
        lines.append(f"You were right on {right} of {len(judged)}.")
        for sureness in reversed(Sureness):
            hits = [
                one.verdict is verdict
                for one, verdict in judged.values()
                if one.sureness is sureness
            ]
            if hits:
                words = _sure_words(sureness)
                lines.append(f"When you were {words}: right on {sum(hits)} of {len(hits)}.")
        wrong = [
            results[key].title
            for key, (one, verdict) in judged.items()
            if one.sureness is Sureness.SURE and one.verdict is not verdict
        ]
        if wrong:
            lines.append(f"Sure, but not as predicted: {'; '.join(wrong)}.")
    uncounted = sum(key in results and key not in judged for key in predictions)
    if uncounted:
        lines.append(f"Without a verdict, so not counted: {uncounted}.")
    lines.append(f"Still open: {left}." if left else "All of them are predicted.")
    return lines


def _sure_words(sureness: Sureness) -> str:
    return "guessing" if sureness is Sureness.GUESS else sureness.value
