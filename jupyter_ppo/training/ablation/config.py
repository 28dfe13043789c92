"""One switch for each implementation detail."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, get_args, get_type_hints

from jupyter_ppo.domain.details import detail_of
from jupyter_ppo.domain.errors import InvalidInputError

Initialization = Literal["orthogonal", "orthogonal, head 1", "default"]
Minibatches = Literal["shuffled", "replacement", "full batch"]
Normalization = Literal["minibatch", "batch", "off"]
FrameSkip = Literal["max of two", "last frame", "off"]
Warp = Literal["gray", "red channel", "three channels"]
FrameNetwork = Literal["shared cnn", "separate cnns", "mlp"]
ActionDistribution = Literal["normal", "three fixed steps"]
Reduction = Literal["sum", "mean"]
StoredAction = Literal["unclipped", "clipped"]
LstmInitialization = Literal["orthogonal", "default"]
LstmStart = Literal["zeros", "random"]
LstmMinibatches = Literal["sequences", "shuffled steps"]
RebuiltState = Literal["stored", "zeros"]
Masking = Literal["always", "only when acting", "off"]
KlEstimator = Literal["k3", "k1"]


@dataclass(frozen=True, slots=True)
class AblationConfig:
    """PPO with all 37 details; an ablation replaces one field.

    The four auxiliary details are not part of the official code: they are off here, except for
    masks, which do nothing where every action is allowed.
    """

    # Core
    n_envs: int = 16
    initialization: Initialization = "orthogonal"
    adam_epsilon: float = 1e-5
    anneal_learning_rate: bool = True
    gae_lambda: float = 0.95
    minibatches: Minibatches = "shuffled"
    normalize_advantages: Normalization = "minibatch"
    clip_range: float = 0.2  # infinite: no clipping
    clip_value_loss: bool = True
    entropy_coef: float = 0.01
    max_grad_norm: float = 0.5  # infinite: no clipping
    kl_estimator: KlEstimator = "k3"
    separate_networks: bool = True  # for frames see ``frame_network``
    # Atari
    max_noops: int = 30
    frame_skip: FrameSkip = "max of two"
    episodic_life: bool = True
    fire_to_start: bool = True
    warp: Warp = "gray"
    clip_rewards: bool = True
    frame_stack: int = 4
    frame_network: FrameNetwork = "shared cnn"
    scale_pixels: bool = True
    # Continuous actions
    action_distribution: ActionDistribution = "normal"
    log_std: float | Literal["network"] = 0.0  # its first value, or that it depends on the state
    log_prob_reduction: Reduction = "sum"
    stored_action: StoredAction = "unclipped"
    normalize_observations: bool = True
    observation_clip: float = 10.0  # of normalised observations; infinite: no clipping
    scale_rewards: bool = True
    reward_clip: float = 10.0  # of scaled rewards; infinite: no clipping
    # Memory
    lstm_initialization: LstmInitialization = "orthogonal"
    lstm_start: LstmStart = "zeros"
    reset_state: bool = True
    lstm_minibatches: LstmMinibatches = "sequences"
    rebuilt_state: RebuiltState = "stored"
    # MultiDiscrete
    factored_actions: bool = True
    # Auxiliary
    anneal_clip_range: bool = False
    n_workers: int = 1
    target_kl: float | None = None
    mask_actions: Masking = "always"

    def __post_init__(self) -> None:
        for name, allowed in _WORDS.items():
            _require(getattr(self, name) in allowed, name, f"one of {', '.join(allowed)}")
        for name in ("n_envs", "frame_stack", "n_workers"):
            _require(getattr(self, name) >= 1, name, "at least 1")
        _require(self.max_noops >= 0, "max_noops", "at least 0")
        for name in ("adam_epsilon", "clip_range", "max_grad_norm", "observation_clip"):
            _require(getattr(self, name) > 0, name, "over 0")
        _require(self.reward_clip > 0, "reward_clip", "over 0")
        _require(0 <= self.gae_lambda <= 1, "gae_lambda", "between 0 and 1")
        _require(self.entropy_coef >= 0, "entropy_coef", "at least 0")
        is_number = isinstance(self.log_std, (int, float)) and math.isfinite(self.log_std)
        _require(is_number or self.log_std == "network", "log_std", "a number or 'network'")
        has_target = self.target_kl is not None
        _require(not has_target or (self.target_kl or 0) > 0, "target_kl", "over 0, or None")
        _require(self.n_envs % self.n_workers == 0, "n_workers", "a divisor of n_envs")

    def vary(self, flag: str, value: Any) -> AblationConfig:
        """Return this with one field replaced. Raises ``InvalidInputError`` (field ``flag``)."""
        if flag not in _NAMES:
            msg = f"flag: {flag[:60]!r} is no field of AblationConfig."
            raise InvalidInputError(msg, field="flag")
        return replace(self, **{flag: value})


def _require(is_good: bool, name: str, allowed: str) -> None:
    if not is_good:
        msg = f"{name}: this must be {allowed}."
        raise InvalidInputError(msg, field=name)


_NAMES: Final = tuple(field.name for field in fields(AblationConfig))
#: Fields whose value is one of a few words.
_WORDS: Final = {
    name: get_args(hint)
    for name, hint in get_type_hints(AblationConfig).items()
    if hint in {
        Initialization, Minibatches, Normalization, FrameSkip, Warp, FrameNetwork,
        ActionDistribution, Reduction, StoredAction, LstmInitialization, LstmStart,
        LstmMinibatches, RebuiltState, Masking, KlEstimator,
    }
}  # fmt: skip

#: The field of each detail. Two details are one switch, on other environments: separate networks.
DETAIL_FLAGS: Final[dict[str, str]] = {
    "core-1": "n_envs",
    "core-2": "initialization",
    "core-3": "adam_epsilon",
    "core-4": "anneal_learning_rate",
    "core-5": "gae_lambda",
    "core-6": "minibatches",
    "core-7": "normalize_advantages",
    "core-8": "clip_range",
    "core-9": "clip_value_loss",
    "core-10": "entropy_coef",
    "core-11": "max_grad_norm",
    "core-12": "kl_estimator",
    "core-13": "separate_networks",
    "atari-1": "max_noops",
    "atari-2": "frame_skip",
    "atari-3": "episodic_life",
    "atari-4": "fire_to_start",
    "atari-5": "warp",
    "atari-6": "clip_rewards",
    "atari-7": "frame_stack",
    "atari-8": "frame_network",
    "atari-9": "scale_pixels",
    "continuous-1": "action_distribution",
    "continuous-2": "log_std",
    "continuous-3": "log_prob_reduction",
    "continuous-4": "separate_networks",
    "continuous-5": "stored_action",
    "continuous-6": "normalize_observations",
    "continuous-7": "observation_clip",
    "continuous-8": "scale_rewards",
    "continuous-9": "reward_clip",
    "lstm-1": "lstm_initialization",
    "lstm-2": "lstm_start",
    "lstm-3": "reset_state",
    "lstm-4": "lstm_minibatches",
    "lstm-5": "rebuilt_state",
    "multidiscrete-1": "factored_actions",
    "auxiliary-1": "anneal_clip_range",
    "auxiliary-2": "n_workers",
    "auxiliary-3": "target_kl",
    "auxiliary-4": "mask_actions",
}


def flag_of(key: str) -> str:
    """Return the field that belongs to a detail. Raises ``NotFoundError`` (field ``key``)."""
    return DETAIL_FLAGS[detail_of(key).key]
