"""The implementation details of PPO that the course teaches, in one table.

Numbers and order are those of Huang, Dossa, Raffin, Kanervisto and Wang 2022, "The 37
Implementation Details of Proximal Policy Optimization"; titles and sentences are our own. The four
auxiliary details are in the same text, without numbers. What each one does when it is taken away
is measured by ``benchmarks/ablations.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from jupyter_ppo.domain.errors import NotFoundError


class DetailGroup(StrEnum):
    """Where a detail belongs; the value is also how its key begins."""

    CORE = "core"
    ATARI = "atari"
    CONTINUOUS = "continuous"
    LSTM = "lstm"
    MULTIDISCRETE = "multidiscrete"
    AUXILIARY = "auxiliary"

    @property
    def label(self) -> str:
        """What it is called in a table."""
        return _LABELS[self]


_LABELS: Final = {
    DetailGroup.CORE: "core",
    DetailGroup.ATARI: "Atari",
    DetailGroup.CONTINUOUS: "continuous actions",
    DetailGroup.LSTM: "memory (LSTM)",
    DetailGroup.MULTIDISCRETE: "MultiDiscrete actions",
    DetailGroup.AUXILIARY: "auxiliary",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """One implementation detail."""

    key: str  # such as "core-5"; names of files and metadata of cells use it
    number: int | None  # 1 to 37 in the list of Huang et al.; None for an auxiliary one
    group: DetailGroup
    title: str
    summary: str  # one sentence: what is done

    @property
    def label(self) -> str:
        """Number and title, or "auxiliary" and title."""
        name = f"detail {self.number}" if self.number is not None else "auxiliary detail"
        return f"{name}: {self.title}"


def detail_of(key: str) -> Detail:
    """Return the detail with this key. Raises ``NotFoundError`` (field ``key``)."""
    try:
        return _BY_KEY[key]
    except KeyError:
        msg = (
            f"key: there is no detail {key[:60]!r}. Keys are core-1 to core-13, atari-1 to "
            "atari-9, continuous-1 to continuous-9, lstm-1 to lstm-5, multidiscrete-1 and "
            "auxiliary-1 to auxiliary-4."
        )
        raise NotFoundError(msg, field="key") from None


_TEXTS: Final[dict[DetailGroup, tuple[tuple[str, str], ...]]] = {
    DetailGroup.CORE: (
        (
            "Vectorised environments",
            "N copies of the environment are stepped together for T steps; the next rollout goes "
            "on where this one stopped, also in the middle of an episode.",
        ),
        (
            "Orthogonal initialisation",
            "Weights start as orthogonal matrices, scaled by sqrt(2) in hidden layers, 0.01 in the "
            "policy's last layer and 1 in the value's; biases start at 0.",
        ),
        (
            "Adam's epsilon",
            "The small number in Adam's denominator is 1e-5, where PyTorch's default is 1e-8.",
        ),
        (
            "Annealed learning rate",
            "The learning rate falls linearly from its first value to 0 over the training.",
        ),
        (
            "Generalised advantage estimation",
            "Advantages are sums of TD errors weighted by (gamma lambda)^l; a rollout that ends "
            "inside an episode goes on with the value of its next observation.",
        ),
        (
            "Shuffled minibatches",
            "Each epoch goes through all samples of the rollout once, in a new random order, in "
            "minibatches.",
        ),
        (
            "Advantage normalisation",
            "In each minibatch the advantages are shifted to mean 0 and scaled to deviation 1.",
        ),
        (
            "Clipped surrogate objective",
            "The ratio of new to old probability earns nothing more once it has left "
            "[1 - epsilon, 1 + epsilon] in the direction that looks better.",
        ),
        (
            "Value loss clipping",
            "The new value may move by at most epsilon from the old one before the larger of the "
            "clipped and the unclipped squared error counts.",
        ),
        (
            "Entropy bonus and the total loss",
            "One loss is minimised: policy loss + c1 * value loss - c2 * entropy.",
        ),
        (
            "Global gradient clipping",
            "When the norm of all gradients together is over 0.5, all of them are scaled down to "
            "it.",
        ),
        (
            "Debug variables",
            "Policy loss, value loss, entropy, approximate KL, clip fraction and explained "
            "variance are recorded at every update.",
        ),
        (
            "Separate networks for policy and value",
            "Policy and value are two networks that share no weights; on simple tasks this is "
            "better than one network with two heads.",
        ),
    ),
    DetailGroup.ATARI: (
        (
            "No-op start",
            "Each episode begins with a random number of steps, 1 to 30, in which nothing is done.",
        ),
        (
            "Max and skip",
            "An action is repeated for 4 frames, their rewards are added, and the pixel-wise "
            "maximum of the last two frames is seen.",
        ),
        (
            "Episodic life",
            "Losing a life ends the episode for the learner; the game itself is started anew only "
            "when all lives are gone.",
        ),
        (
            "Fire to start",
            "Games that wait for FIRE get it at the beginning of each episode.",
        ),
        (
            "Warped frames",
            "Frames become grey (luma weights of the three channels) and 84 x 84 pixels large.",
        ),
        (
            "Clipped rewards",
            "Each reward is replaced by its sign.",
        ),
        (
            "Frame stack",
            "The last four frames are seen together, oldest first.",
        ),
        (
            "Shared Nature CNN",
            "Policy and value share three convolutions and a layer of 512 units.",
        ),
        (
            "Scaled pixels",
            "Pixels from 0 to 255 are divided by 255 before the network sees them.",
        ),
    ),
    DetailGroup.CONTINUOUS: (
        (
            "Normal distribution",
            "Continuous actions are drawn from a normal distribution whose mean is the network's "
            "output.",
        ),
        (
            "State-independent deviation",
            "The logarithm of the deviation is one learned number per action component, the same "
            "in all states, from 0 at first.",
        ),
        (
            "Independent components",
            "The components of an action are independent: the log probability of the action is "
            "the sum of theirs.",
        ),
        (
            "Separate networks",
            "Policy and value are two networks of two layers with 64 tanh units each.",
        ),
        (
            "Clip for the environment, store unclipped",
            "The environment gets the action cut off at its bounds; the rollout keeps the one that "
            "was drawn.",
        ),
        (
            "Observation normalisation",
            "Observations are shifted and scaled by a running mean and variance of each feature.",
        ),
        (
            "Observation clipping",
            "Normalised observations are cut off at -10 and 10.",
        ),
        (
            "Reward scaling",
            "Rewards are divided by the deviation of a running discounted return; nothing is "
            "subtracted.",
        ),
        (
            "Reward clipping",
            "Scaled rewards are cut off at -10 and 10.",
        ),
    ),
    DetailGroup.LSTM: (
        (
            "Initialisation of the LSTM",
            "Weights of the LSTM start orthogonal with scale 1, biases at 0.",
        ),
        (
            "Zero initial state",
            "Hidden and cell state are zeros at the beginning of the training.",
        ),
        (
            "State reset at the end of an episode",
            "Where an episode begins, hidden and cell state are set to zeros.",
        ),
        (
            "Minibatches of whole sequences",
            "Minibatches divide the environments, not the steps: the order in time is kept.",
        ),
        (
            "States rebuilt in training",
            "The update starts from the state that the rollout began with and runs the LSTM "
            "through the rollout again.",
        ),
    ),
    DetailGroup.MULTIDISCRETE: (
        (
            "Independent discrete components",
            "An action with several discrete components has one categorical distribution for "
            "each; log probabilities and entropies are added.",
        ),
    ),
    DetailGroup.AUXILIARY: (
        (
            "Annealed clip range",
            "The clip range falls linearly to 0 over the training.",
        ),
        (
            "Parallel gradient update",
            "Several workers compute gradients on their own samples; all apply the average.",
        ),
        (
            "Early stop by KL",
            "The epochs of an update end early when the approximate KL to the old policy is over "
            "1.5 times its target.",
        ),
        (
            "Invalid action masking",
            "Actions that the environment does not allow get probability 0 before one is drawn, "
            "and in the update too.",
        ),
    ),
}


def _table() -> tuple[Detail, ...]:
    details: list[Detail] = []
    for group, texts in _TEXTS.items():
        for place, (title, summary) in enumerate(texts, start=1):
            number = None if group is DetailGroup.AUXILIARY else len(details) + 1
            details.append(Detail(f"{group}-{place}", number, group, title, summary))
    return tuple(details)


#: All of them: 1 to 37, then the auxiliary four.
DETAILS: Final = _table()

_BY_KEY: Final = {detail.key: detail for detail in DETAILS}
