"""What the ablation of one detail of PPO has measured, as pictures in a notebook."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from jupyter_ppo.domain.ablations import AblationResult, AblationVariant, interval_text
from jupyter_ppo.domain.details import Detail, detail_of
from jupyter_ppo.domain.errors import DamagedFileError
from jupyter_ppo.widgets.ablation_files import load_ablation
from jupyter_ppo.widgets.ablation_predictions import Verdict
from jupyter_ppo.widgets.experiment_attempt import listening
from jupyter_ppo.widgets.experiment_html import Seen, said_html
from jupyter_ppo.widgets.experiment_pictures import Dots, Line, Note, Picture, Plot, Table


class AblationView:
    """What a cell shows of one detail. ``html`` is all of it, ``text`` a sentence."""

    def __init__(self, detail: Detail) -> None:
        self.detail = detail
        self.result, self.text = found_ablation(detail)
        self._seen = _seen(self.heading, ablation_pictures(self.result) if self.result else [])

    @property
    def heading(self) -> str:
        """Number and title of the detail."""
        return self.detail.label[:1].upper() + self.detail.label[1:]

    @property
    def html(self) -> str:
        """The heading, what was measured, the pictures and what they say."""
        if self.result is None:
            return f"<p><strong>{escape(self.heading)}</strong></p><p>{escape(self.text)}</p>"
        return (
            f"<p><strong>{escape(self.heading)}</strong></p>"
            f"<p>{escape(setting_words(self.result))}</p>"
            f"{said_html(self._seen.said)}{self._seen.html()}"
        )

    def __repr__(self) -> str:
        return f"<Ablation of {self.detail.label}: {self.text}>"

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/plain": f"{self.heading}\n{self.text}", "text/html": self.html}


def show_ablation(key: str) -> AblationView:
    """Return a view of what switching a detail, such as "core-5", has done.

    A detail that was not measured is said to be so. Raises ``NotFoundError`` for an unknown key.
    """
    return AblationView(detail_of(key))


def found_ablation(detail: Detail) -> tuple[AblationResult | None, str]:
    """Return the result and its sentence; no result and the reason when there is none."""
    try:
        result = load_ablation(detail.key)
    except DamagedFileError as error:
        return None, error.message
    if result is None:
        return None, "This detail has not been measured yet, so there is nothing to show."
    return result, result.sentence


_READING: Final = (
    "IQM is the mean of the middle half of the seeds; with 95 % confidence it lies in the interval "
    "in brackets. Not told apart: these seeds show no difference, and a small one may be there."
)


def ablation_pictures(result: AblationResult) -> list[Picture]:
    """Return a dot for each seed with the interquartile means, the curves, and what they say."""
    groups = {
        variant.label: [value for value in variant.final if value is not None]
        for variant in result.variants
    }
    middles = {
        variant.label: (variant.iqm, variant.low, variant.high)
        for variant in result.variants
        if variant.iqm is not None and variant.low is not None and variant.high is not None
    }
    pictures: list[Picture] = [
        Dots(
            "One dot a seed, IQM and 95 % interval",
            groups,
            result.metric,
            middles,
            x_log=result.log_scale,
        )
    ]
    curves = [
        Line(variant.label, curve.steps, curve.iqm, band=(curve.low, curve.high), color=place)
        for place, variant in enumerate(result.variants)
        if (curve := variant.curve) is not None
    ]
    if curves:
        pictures.append(
            Plot(
                f"While training: {result.curve_metric}",
                curves,
                "environment steps",
                "IQM and 95 % interval",
                y_log=result.log_scale,
            )
        )
    rows = [
        [variant.label, interval_text(variant), chance_words(variant)]
        for variant in result.variants
    ]
    columns = ["Variant", "IQM [95 % interval]", f"Chance to beat “{result.baseline}”"]
    if result.lower_is_better is None:
        rows, columns = [row[:2] for row in rows], columns[:2]
    pictures.append(Table("In numbers", columns, rows))
    pictures.append(Note(result.sentence))
    pictures.append(Note(_READING))
    return pictures


def setting_words(result: AblationResult) -> str:
    """Return what was varied, where, and how it was measured."""
    others = ", ".join(f"“{variant.label}”" for variant in result.variants[1:])
    place = result.environment[:1].upper() + result.environment[1:]
    steps = f", {result.steps:,} environment steps each" if result.steps else ""
    return (
        f"Varied: {result.varied}. PPO does “{result.baseline}”; compared with {others}. "
        f"{place}, {len(result.seeds)} seeds{steps}. Measured: {_axis(result)}."
    )


def measured_verdict(result: AblationResult) -> Verdict | None:
    """Return what the detail does, compared with the last variant, which goes without it.

    A chance to be better whose interval holds one half tells nothing apart. None where neither
    direction is better.
    """
    better = result.variants[-1].better
    if better is None:
        return None
    if better.high < 0.5:
        return Verdict.HELPS
    return Verdict.HARMS if better.low > 0.5 else Verdict.NO_DIFFERENCE


def chance_words(variant: AblationVariant) -> str:
    """Return how likely a run of a variant is better than one of the baseline."""
    better = variant.better
    if better is None:
        return ""
    chance, low, high = (round(100 * one) for one in (better.probability, better.low, better.high))
    return f"{chance} % [{low}, {high}]"


def _axis(result: AblationResult) -> str:
    unit = f" ({result.unit})" if result.unit and result.unit not in result.metric else ""
    direction = {True: ", lower is better", False: ", higher is better", None: ""}
    return f"{result.metric}{unit}{direction[result.lower_is_better]}"


def _seen(title: str, pictures: list[Picture]) -> Seen:
    seen = Seen(title, "", "")
    with listening() as said:
        seen.add(pictures)
    seen.said = said
    return seen
