"""What an ablation found: the document that ``benchmarks/ablations.py`` writes for each detail."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from jupyter_ppo.domain.details import detail_of
from jupyter_ppo.domain.errors import InvalidInputError

FORMAT: Final = 1
#: Points of a curve at most; a document has to stay small.
CURVE_POINTS: Final = 24
KINDS: Final = ("return", "measurement")
#: Fewer say too little.
FEWEST_SEEDS: Final = 5

Scalar = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class CurveData:
    """The metric over the training: its IQM over seeds and the interval; all of one length."""

    steps: tuple[float, ...]
    iqm: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Improvement:
    """How likely a run of a variant is better than one of the baseline; ties count one half."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class AblationVariant:
    """One value of the switch, and what came out with every seed."""

    label: str
    value: Scalar
    final: tuple[float | None, ...]  # None: that run diverged
    iqm: float | None
    low: float | None
    high: float | None
    better: Improvement | None  # than the baseline; None of the baseline itself
    curve: CurveData | None


@dataclass(frozen=True, slots=True)
class AblationResult:
    """One detail, switched; the first variant is the baseline, with the detail as it is done."""

    key: str
    number: int | None
    title: str
    flag: str
    environment: str
    varied: str
    kind: str
    metric: str
    unit: str
    lower_is_better: bool | None
    baseline: str
    variants: tuple[AblationVariant, ...]
    curve_metric: str
    log_scale: bool
    seeds: tuple[int, ...]
    steps: int
    sentence: str
    versions: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"format": FORMAT, **asdict(self), "versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, document: Any) -> AblationResult:
        """Check a document and return it. Raises ``InvalidInputError`` (field: what is wrong)."""
        is_ours = isinstance(document, Mapping) and document.get("format") == FORMAT
        _require(is_ours, "format", f"this is no ablation of format {FORMAT}.")
        values: dict[str, Any] = {name: document.get(name) for name in cls.__dataclass_fields__}
        variants = _list(values["variants"], "variants")
        values["variants"] = tuple(_variant(item) for item in variants)
        values["seeds"] = tuple(_list(values["seeds"], "seeds"))
        versions = values["versions"]
        is_table = isinstance(versions, Mapping)
        _require(is_table, "versions", "these are names and versions of packages.")
        values["versions"] = dict(versions)
        result = cls(**values)
        result._check()
        return result

    def _check(self) -> None:
        detail = detail_of(str(self.key))
        is_it = (self.number, self.title) == (detail.number, detail.title)
        _require(is_it, "number", f"number and title are not those of {self.key}.")
        texts = ("flag", "environment", "varied", "metric", "sentence", "baseline")
        for name in texts:
            text = getattr(self, name)
            _require(isinstance(text, str) and text != "", name, "this is a text.")
        _require(self.kind in KINDS, "kind", f"this is one of {', '.join(KINDS)}.")
        are_enough = len(set(self.seeds)) == len(self.seeds) >= FEWEST_SEEDS
        _require(are_enough, "seeds", f"there are at least {FEWEST_SEEDS}, all different.")
        is_first = bool(self.variants) and self.variants[0].label == self.baseline
        is_good = is_first and 2 <= len(self.variants) <= 4
        _require(is_good, "variants", "there are 2 to 4, the baseline first.")
        for variant in self.variants:
            is_whole = len(variant.final) == len(self.seeds)
            _require(is_whole, "final", f"{variant.label} has not one number for each seed.")


def sentence_of(variants: Sequence[AblationVariant], note: str) -> str:
    """Return what the numbers say, in words, and a note on what that means.

    A variant is called better or worse when the interval of its probability of improvement leaves
    out one half, and otherwise not told apart.
    """
    baseline, *others = variants
    parts = [f"{baseline.label}: {interval_text(baseline)}"]
    for variant in others:
        parts.append(f"{variant.label}: {interval_text(variant)}{_verdict(variant)}")
    text = "; ".join(parts) + "."
    return f"{text} {note}".strip()


def interval_text(variant: AblationVariant) -> str:
    """Return the interquartile mean and the interval, and how many runs diverged."""
    diverged = sum(value is None for value in variant.final)
    told = f", {diverged} of {len(variant.final)} runs diverged" if diverged else ""
    if variant.iqm is None or variant.low is None or variant.high is None:
        return f"no number{told}"
    if variant.low == variant.high:
        return f"{_short(variant.iqm)}{told}"
    return f"{_short(variant.iqm)} [{_short(variant.low)}, {_short(variant.high)}]{told}"


def _verdict(variant: AblationVariant) -> str:
    better = variant.better
    if better is None:
        return ""
    chance = f"better than it with probability {better.probability:.2f}"
    if better.low > 0.5:
        return f" (better: {chance})"
    if better.high < 0.5:
        return f" (worse: {chance})"
    return f" (not told apart: {chance})"


def _short(value: float) -> str:
    """Return a number as people write it: three digits, never 1e+02."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size < -3 or size > 5:
        return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e")
    return f"{value:.{max(2 - size, 0)}f}"


def _variant(document: Any) -> AblationVariant:
    _require(isinstance(document, Mapping), "variants", "each is an object.")
    values: dict[str, Any] = {
        name: document.get(name) for name in AblationVariant.__dataclass_fields__
    }
    _require(isinstance(values["label"], str), "label", "this is a text.")
    final = tuple(_number(value, "final") for value in _list(values["final"], "final"))
    values["final"] = final
    for name in ("iqm", "low", "high"):
        values[name] = _number(values[name], name)
    better, curve = values["better"], values["curve"]
    if better is not None:
        values["better"] = Improvement(
            **{name: float(better[name]) for name in Improvement.__dataclass_fields__}
        )
    if curve is not None:
        columns = {
            name: tuple(float(value) for value in _list(curve.get(name), name))
            for name in CurveData.__dataclass_fields__
        }
        lengths = {len(column) for column in columns.values()}
        is_short = len(lengths) == 1 and max(lengths) <= CURVE_POINTS
        _require(is_short, "curve", f"its columns have one length, at most {CURVE_POINTS}.")
        values["curve"] = CurveData(**columns)
    return AblationVariant(**values)


def _list(value: Any, name: str) -> list[Any]:
    _require(isinstance(value, (list, tuple)), name, "this is a list.")
    return list(value)


def _number(value: Any, name: str) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    _require(is_number and math.isfinite(value), name, "this is a finite number, or null.")
    return float(value)


def _require(is_good: bool, name: str, why: str) -> None:
    if not is_good:
        msg = f"{name}: {why}"
        raise InvalidInputError(msg, field=name)
