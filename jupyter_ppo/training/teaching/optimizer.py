"""One step down the gradient: clipping, then Adam."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from jupyter_ppo.domain.run_spec import RunSpec

_BETA_1, _BETA_2 = 0.9, 0.999  # how much of the running means is kept; [A] section 2


class Adam:
    """Adam on the weights of ``network``, with the norm of the gradient bounded.

    [A]: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", arXiv:1412.6980,
    algorithm 1, which PPO uses ([S] section 5). Epsilon is 1e-5 by default ([H] detail 3).

    A network as small as ours spends more time on the calls than on the numbers, and
    ``torch.optim`` needs several calls for each of its 12 tensors. So all weights are put into one
    vector here, and all gradients into another; the tensors of ``network`` become views of pieces
    of them. Clipping and Adam then are ten calls on whole vectors. What is computed is the same.
    """

    def __init__(self, network: nn.Module, spec: RunSpec) -> None:
        parameters = list(network.parameters())
        # All of these: (number of weights,) float32.
        self._weights = nn.utils.parameters_to_vector(parameters).detach()
        self._gradient = torch.zeros_like(self._weights)
        self._mean = torch.zeros_like(self._weights)  # m: running mean of the gradient
        self._square = torch.zeros_like(self._weights)  # v: running mean of its square
        self._steps = 0  # t
        self._epsilon = spec.adam_eps
        self._max_norm = spec.max_grad_norm
        begin = 0
        for parameter in parameters:
            piece = slice(begin, begin + parameter.numel())
            parameter.data = self._weights[piece].view_as(parameter)
            # backward() adds to a gradient that is there already, in place.
            parameter.grad = self._gradient[piece].view_as(parameter)
            begin = piece.stop

    def step(self, loss: Tensor, learning_rate: float) -> None:
        """Move the weights against the gradient of ``loss``, a scalar.

        ``learning_rate`` is alpha, about how far a weight moves in one step.
        """
        self._gradient.zero_()
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = self._gradient
        # One bound for the norm of the whole gradient ([H] detail 11); the minimum with 1 leaves a
        # gradient within it as it is. No ``if``: it would cost more than the multiplication.
        gradient.mul_((self._max_norm / (gradient.norm() + 1e-6)).clamp(max=1.0))

        self._steps += 1
        self._mean.lerp_(gradient, 1 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradient, gradient, value=1 - _BETA_2)
        # Both means began with zeros: at first they are too small, by these factors; [A] section 3.
        mean_share = 1 - _BETA_1**self._steps
        square_share = 1 - _BETA_2**self._steps
        deviation = self._square.sqrt().div_(math.sqrt(square_share)).add_(self._epsilon)
        self._weights.addcdiv_(self._mean, deviation, value=-learning_rate / mean_share)
