"""From each detail to its experiment: what is varied, where, and what is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from jupyter_ppo.domain.ablations import Scalar
from jupyter_ppo.domain.details import detail_of
from jupyter_ppo.training.ablation.config import AblationConfig, flag_of
from jupyter_ppo.training.ablation.measurements import kl_error, state_leak
from jupyter_ppo.training.ablation.tasks import task_kind
from jupyter_ppo.training.ablation.trainer import MEAN_SCORE, RATIO_ERROR, UPDATE_KL, Setting

#: A number for some switches and a seed, without a training.
Measurement = Callable[[AblationConfig, int], float]


@dataclass(frozen=True, slots=True)
class Experiment:
    """How one detail is ablated."""

    key: str
    varied: str
    variants: tuple[tuple[str, Scalar], ...]  # label and value of the flag, the baseline first
    setting: Setting | None = None  # None: ``measure`` needs no training
    series: str = MEAN_SCORE  # of the training: what is compared
    last: int = 1  # the mean of so many last measurements of it
    measure: Measurement | None = None
    metric: str = "mean score of the last 20 episodes, averaged over the training"
    unit: str = ""
    place: str = ""  # where, when there is no task
    lower_is_better: bool | None = False
    log_scale: bool = False
    note: str = ""  # what the numbers mean; never what they are
    base: AblationConfig = field(default_factory=AblationConfig)

    @property
    def flag(self) -> str:
        """The field of ``AblationConfig`` that is varied."""
        return flag_of(self.key)

    @property
    def is_return(self) -> bool:
        """Whether returns of trainings are compared, which have curves."""
        return self.setting is not None and self.series == MEAN_SCORE

    @property
    def environment(self) -> str:
        """Where, in a few words."""
        return self.place if self.setting is None else task_kind(self.setting.task).label

    def config(self, value: Scalar) -> AblationConfig:
        """Return the switches of one variant."""
        return self.base.vary(self.flag, value)


_ON_OFF: Final = (("on", True), ("off", False))
_NO_BONUS: Final = AblationConfig(entropy_coef=0.0)  # as in the official code for MuJoCo
_CARTPOLE: Final = Setting("cartpole")
_REACHER: Final = Setting("reacher", steps=15_360, gamma=0.9)
_CATCH: Final = Setting("catch", steps=6144)
_RECALL: Final = Setting("recall", steps=8192, rollout=256, pieces=2, is_recurrent=True)
_SHORT_RECALL: Final = replace(_RECALL, steps=5120)
_RATIO: Final[dict[str, Any]] = {
    "series": RATIO_ERROR,
    "metric": "mean of |ratio - 1| in the first minibatch of an update, before any step",
    "lower_is_better": True,
}


def _cartpole(key: str, varied: str, *variants: tuple[str, Scalar], note: str = "") -> Experiment:
    return Experiment(key, varied, variants, _CARTPOLE, unit="reward", note=note)


def _frames(
    key: str, varied: str, task: str, *variants: tuple[str, Scalar], **more: Any
) -> Experiment:
    steps = more.pop("steps", _CATCH.steps)
    setting = replace(_CATCH, task=task, steps=steps)
    return Experiment(key, varied, variants, setting, unit=task_kind(task).score, **more)


def _reacher(
    key: str, varied: str, task: str, *variants: tuple[str, Scalar], **more: Any
) -> Experiment:
    setting = replace(_REACHER, task=task)
    unit = "minus the distance, added over 30 steps"
    return Experiment(key, varied, variants, setting, unit=unit, base=_NO_BONUS, **more)


def _recall(key: str, varied: str, *variants: tuple[str, Scalar], **more: Any) -> Experiment:
    return Experiment(key, varied, variants, _RECALL, unit="reward", **more)


_CORE: Final = (
    _cartpole(
        "core-1",
        "the number of environments; a rollout has 512 samples of all together",
        ("16 environments", 16),
        ("4 environments", 4),
        ("1 environment", 1),
        note="Of many environments at once the short episodes end first, which lowers this score; "
        "what they save is time, which is not measured here.",
    ),
    _cartpole(
        "core-2",
        "the first weights",
        ("orthogonal, head 0.01", "orthogonal"),
        ("orthogonal, head 1", "orthogonal, head 1"),
        ("PyTorch's default", "default"),
    ),
    _cartpole("core-3", "epsilon of Adam", ("1e-5", 1e-5), ("1e-8", 1e-8)),
    _cartpole(
        "core-4",
        "the learning rate over the training",
        ("annealed to 0", True),
        ("constant", False),
    ),
    _cartpole(
        "core-5", "lambda of GAE", ("lambda 0.95", 0.95), ("lambda 0", 0.0), ("lambda 1", 1.0)
    ),
    _cartpole(
        "core-6",
        "how the samples of a rollout become minibatches",
        ("4 shuffled minibatches", "shuffled"),
        ("4 drawn with replacement", "replacement"),
        ("one full batch", "full batch"),
        note="A full batch also takes a quarter of the gradient steps.",
    ),
    _cartpole(
        "core-7",
        "where advantages are normalised",
        ("per minibatch", "minibatch"),
        ("per rollout", "batch"),
        ("not at all", "off"),
    ),
    _cartpole(
        "core-8",
        "the clip range",
        ("0.2", 0.2),
        ("0.05", 0.05),
        ("0.5", 0.5),
        ("no clipping", float("inf")),
        note="The clip range of the value loss changes with it, and is 0.2 without clipping.",
    ),
    _cartpole("core-9", "clipping of the value loss", *_ON_OFF),
    _cartpole(
        "core-10", "the weight of the entropy bonus", ("0.01", 0.01), ("0", 0.0), ("0.1", 0.1)
    ),
    _cartpole(
        "core-11",
        "the bound for the norm of the gradient",
        ("0.5", 0.5),
        ("no bound", float("inf")),
    ),
    Experiment(
        "core-12",
        "the estimator behind the debug variable approximate KL",
        (("k3", "k3"), ("k1", "k1")),
        measure=kl_error,
        metric="root mean square error of the estimated KL",
        unit="nats",
        place="400 pairs of policies with 4 actions, 256 samples each",
        lower_is_better=True,
        log_scale=True,
        note="Debug variables change nothing in the training; what can be better is an estimate.",
    ),
    _cartpole(
        "core-13",
        "whether policy and value share their hidden layers",
        ("separate", True),
        ("shared", False),
    ),
)

_ATARI: Final = (
    _frames(
        "atari-1",
        "the largest number of no-ops at the start",
        "catch-blind",
        ("30 no-ops", 30),
        ("none", 0),
        lower_is_better=True,
        metric="balls of five that a list of actions catches without looking, averaged over the "
        "training",
        note="What such a list catches was learned by heart; no-ops are there to prevent that.",
    ),
    _frames(
        "atari-2",
        "what is seen of four repeated frames",
        "catch-flicker",
        ("maximum of the last two", "max of two"),
        ("the last frame", "last frame"),
    ),
    _frames("atari-3", "whether a lost life ends the episode for the learner", "catch-lives",
            *_ON_OFF),
    _frames("atari-4", "whether FIRE is pressed at the start", "catch-fire", *_ON_OFF),
    _frames(
        "atari-5",
        "the colours that are seen",
        "catch-colours",
        ("grey", "gray"),
        ("red channel only", "red channel"),
        note="Frames are 16 x 16 pixels already, so the scaling to 84 x 84 plays no part here.",
    ),
    _frames(
        "atari-6",
        "whether rewards are replaced by their signs",
        "catch-jackpot",
        *_ON_OFF,
        metric="points of a game, 104 at most, averaged over the training",
        note="The score counts the true points: a clipped learner does not know what a ball is "
        "worth.",
    ),
    _frames(
        "atari-7",
        "how many frames are seen together",
        "dot",
        ("4 frames", 4),
        ("1 frame", 1),
        base=AblationConfig(max_noops=0),
        note="One frame does not show where the dot is going; guessing gives 0.5.",
    ),
    _frames(
        "atari-8",
        "the network for frames",
        "catch",
        ("shared CNN", "shared cnn"),
        ("shared MLP", "mlp"),
    ),
    Experiment(
        "atari-9",
        "whether pixels are divided by 255",
        _ON_OFF,
        replace(_CATCH, steps=512),
        series=UPDATE_KL,
        metric="KL between the policy before and after the first update",
        unit="nats",
        lower_is_better=True,
        log_scale=True,
        note="For scale: where every ratio is off by 0.2, the KL is about 0.02 nats.",
    ),
)  # fmt: skip

_CONTINUOUS: Final = (
    _reacher(
        "continuous-1",
        "the distribution of actions",
        "reacher",
        ("normal", "normal"),
        ("-1, 0 or 1 in each component", "three fixed steps"),
    ),
    _reacher(
        "continuous-2",
        "the logarithm of the deviation",
        "reacher",
        ("one parameter, from 0", 0.0),
        ("one parameter, from -3", -3.0),
        ("an output of the network", "network"),
    ),
    _reacher(
        "continuous-3",
        "how log probabilities of components become one",
        "reacher-6",
        ("sum", "sum"),
        ("mean", "mean"),
        note="With the mean the same change of the policy gives a sixth of the log ratio, so that "
        "clipping begins later.",
    ),
    _reacher(
        "continuous-4",
        "whether policy and value share their hidden layers",
        "reacher",
        ("separate", True),
        ("shared", False),
    ),
    Experiment(
        "continuous-5",
        "which action the rollout keeps",
        (("unclipped", "unclipped"), ("clipped", "clipped")),
        replace(_REACHER, steps=2560),
        last=5,
        base=_NO_BONUS,
        **_RATIO,
        note="Before the first step both policies are the same one, so every ratio should be 1.",
    ),
    _reacher("continuous-6", "whether observations are normalised", "reacher-scale", *_ON_OFF),
    _reacher(
        "continuous-7",
        "the bound for normalised observations",
        "reacher-outliers",
        ("10", 10.0),
        ("no bound", float("inf")),
    ),
    _reacher("continuous-8", "whether rewards are scaled", "reacher-reward", *_ON_OFF),
    _reacher(
        "continuous-9",
        "the bound for scaled rewards",
        "reacher-reward-outliers",
        ("10", 10.0),
        ("no bound", float("inf")),
    ),
)

_LSTM: Final = (
    _recall(
        "lstm-1",
        "the first weights of the LSTM",
        ("orthogonal, biases 0", "orthogonal"),
        ("PyTorch's default", "default"),
    ),
    _recall(
        "lstm-2",
        "the state at the start of an episode",
        ("zeros", "zeros"),
        ("noise", "random"),
        note="The noise is drawn again in the update, so that its ratios do not begin at 1 either.",
    ),
    Experiment(
        "lstm-3",
        "whether the state is set to zeros where an episode begins",
        (("reset", True), ("kept", False)),
        measure=state_leak,
        metric="share of the state after 6 steps that comes from the episode before",
        place="new LSTMs of 32 units, random observations",
        lower_is_better=True,
    ),
    _recall(
        "lstm-4",
        "the order in time within a minibatch",
        ("whole sequences", "sequences"),
        ("shuffled steps", "shuffled steps"),
    ),
    Experiment(
        "lstm-5",
        "the state from which the update runs the LSTM again",
        (("that of the rollout", "stored"), ("zeros", "zeros")),
        _SHORT_RECALL,
        last=20,
        **_RATIO,
        note="Mean of the 20 updates of a short training; with the right states every ratio is 1.",
    ),
)

_OTHERS: Final = (
    Experiment(
        "multidiscrete-1",
        "how an action of four components is drawn",
        (("20 logits, factored", True), ("625 logits, one table", False)),
        Setting("dials", steps=10_240),
        unit="reward",
    ),
    _cartpole(
        "auxiliary-1",
        "the clip range over the training",
        ("annealed to 0", True),
        ("constant", False),
    ),
    _cartpole(
        "auxiliary-2",
        "how many workers compute gradients on their share of the environments",
        ("4 workers, averaged", 4),
        ("1 worker", 1),
        note="The samples are the same in number; advantages are normalised by each worker.",
    ),
    Experiment(
        "auxiliary-3",
        "the target of the approximate KL, at 10 epochs and a learning rate of 0.01",
        (("0.02", 0.02), ("no early stop", None)),
        replace(_CARTPOLE, steps=10_240, epochs=10, learning_rate=1e-2),
        unit="reward",
    ),
    Experiment(
        "auxiliary-4",
        "where actions that are not allowed are masked",
        (("always", "always"), ("only when acting", "only when acting"), ("never", "off")),
        Setting("doors", steps=10_240),
        unit="reward",
        note="Without masks in the update the ratios do not begin at 1, and what is clipped is not "
        "the change of the policy; whether that hurts depends on the task.",
    ),
)

#: The experiment of every detail, in the order of the list.
EXPERIMENTS: Final = {
    experiment.key: experiment for experiment in (*_CORE, *_ATARI, *_CONTINUOUS, *_LSTM, *_OTHERS)
}


def experiment_of(key: str) -> Experiment:
    """Return the experiment of a detail. Raises ``NotFoundError`` (field ``key``)."""
    return EXPERIMENTS[detail_of(key).key]
