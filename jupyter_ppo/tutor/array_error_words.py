"""The words of the rules for errors of NumPy, PyTorch and Gymnasium."""

from __future__ import annotations

from jupyter_ppo.tutor.error_places import short
from jupyter_ppo.tutor.error_words import Said, Words


def step_values(said: Said) -> Words:
    """Say it of an environment's values taken apart wrongly."""
    return (
        "The line takes apart another number of values than it gets. In Gymnasium a step gives "
        "five values (observation, reward, terminated, truncated, info) and a reset gives two "
        "(observation, info); older texts show four and one.",
        (
            "Count the names on the left side of the line, and the values that the call gives.",
            "Keep terminated and truncated apart: only the first says that there is no future.",
        ),
    )


def broadcast(said: Said) -> Words:
    """Say it of shapes that do not fit."""
    return (
        f"Two arrays meet whose shapes do not fit: {short(said.message)}. Shapes are compared from "
        "the right; two sizes fit when they are equal or one of them is 1.",
        (
            "Print the shape of each array in the line, and write beside each axis what it counts "
            "(steps, environments, actions).",
            "Look for an axis that is missing or that was summed away: a sum or a mean can keep it "
            "with size 1.",
            "Beware of (B,) against (B, 1): that fits, but gives (B, B) and no error.",
        ),
    )


def matrix(said: Said) -> Words:
    """Say it of a matrix product of sizes that do not fit."""
    return (
        f"A matrix product needs inner sizes that are equal, and they are not: "
        f"{short(said.message)}.",
        (
            "Print both shapes. The last size of the left has to be the first of the right.",
            "For a layer: its number of inputs has to be the last size of what goes in.",
            "Look whether an axis of one batch is missing, or a transpose.",
        ),
    )


def reshape(said: Said) -> Words:
    """Say it of a shape with another number of elements."""
    return (
        f"An array cannot take that shape, because it has another number of elements: "
        f"{short(said.message)}.",
        (
            "Multiply the sizes of the old shape, then those of the new one: they must agree.",
            "Leave one size to be worked out if you do not know it.",
        ),
    )


def dtype(said: Said) -> Words:
    """Say it of kinds of numbers that do not go together."""
    return (
        "Two kinds of numbers meet. NumPy makes float64 by itself, PyTorch's layers have float32, "
        f"and indices and actions are whole numbers (int64): {short(said.message)}.",
        (
            "Print the dtype of each value in the line.",
            "Change it once, where data goes from NumPy to PyTorch, not at every use.",
        ),
    )


def cast(said: Said) -> Words:
    """Say it of a change in place that needs another kind of numbers."""
    return (
        "The result of a change in place does not fit into the array's kind of numbers: "
        f"{short(said.message)}.",
        (
            "Look which kind the array was made with: zeros of whole numbers keep no fractions.",
            "Make a new array instead of changing one, or make it of floats from the start.",
        ),
    )


def in_place(said: Said) -> Words:
    """Say it of a change in place that breaks gradients."""
    return (
        "A tensor that the backward pass still needs was changed in place after it had been used.",
        (
            "Look for operators such as += and for methods whose name ends with _.",
            "Make a new tensor instead; what only records figures can be detached from the graph.",
        ),
    )


def no_graph(said: Said) -> Words:
    """Say it of a loss without a graph."""
    return (
        "The backward pass begins at a tensor that does not depend on any parameter, as far as "
        "PyTorch has followed it.",
        (
            "Look where the chain from the parameters to the loss is cut: by detach, item, NumPy, "
            "or a block without gradients.",
            "Print requires_grad along the way; the first False is the place.",
        ),
    )


def twice(said: Said) -> Words:
    """Say it of a second backward pass."""
    return (
        "The backward pass went through the same graph a second time, and it was freed after the "
        "first.",
        (
            "Compute the loss anew from the network in every minibatch.",
            "Old log-probabilities, values and advantages are data: they must carry no graph.",
        ),
    )


def needs_detach(said: Said) -> Words:
    """Say it of a tensor with a graph that becomes an array."""
    return (
        "A tensor that is part of the graph was asked to become a NumPy array.",
        (
            "What is only recorded or shown has to be taken out of the graph first.",
            "Collect rollouts without gradients: then there is nothing to take out.",
        ),
    )


def one_element(said: Said) -> Words:
    """Say it of several elements in the place of one."""
    return (
        "An array or tensor of several elements was used as if it were one number or one truth.",
        (
            "Print its shape. Was a sum or a mean forgotten?",
            "For conditions on arrays say whether all or any of them counts, or use a mask.",
        ),
    )


def reset(said: Said) -> Words:
    """Say it of a step without a reset."""
    return (
        "An environment was asked for a step before it was reset, or after its episode had ended.",
        (
            "Reset it once before the first step, and again after each step that says terminated "
            "or truncated.",
            "Look whether the flag of the end is looked at in every round of the loop.",
        ),
    )


def action(said: Said) -> Words:
    """Say it of an action that an environment does not know."""
    return (
        "The environment does not know this action: it is of another kind, shape or range than "
        "its action space says.",
        (
            "Print the action space, and the action with its type and shape.",
            "A tensor has to become a plain number or array before the environment gets it.",
        ),
    )


def distribution(said: Said) -> Words:
    """Say it of parameters that no distribution has."""
    return (
        "A distribution got parameters that it cannot have, most often NaN: the network's output "
        "is no number any more.",
        (
            "Look for the first NaN: in the observations, the advantages, the loss or the weights.",
            "Usual sources are a logarithm of 0, a division by a spread of 0, an exponential of a "
            "large number, and a learning rate that is too high.",
            "A standard deviation has to be positive: networks often give its logarithm.",
        ),
    )


def not_finite(said: Said) -> Words:
    """Say it of NaN and infinity."""
    return (
        "A result is NaN or infinite: no number any more. Everything that it touches becomes NaN.",
        (
            "Find the first value that is not finite, going back line by line.",
            "Usual sources are a logarithm of 0, a division by 0, an exponential of a large "
            "number, and NaN times 0 (which is NaN: choose values instead of multiplying).",
        ),
    )
