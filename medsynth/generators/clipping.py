"""Per-row gradient clipping of DP-SGD without per-row gradients ("ghost clipping").

A linear layer's gradient for one row is the outer product of its input x and the gradient g at its output, so that the
row's squared norm is |g|^2 |x|^2 (Goodfellow 2015, "Efficient per-example gradient computations"), and under a mask
sum(mask * g^2 x^2). With the norms at hand the sum of clipped gradients is one product of rows scaled (Li et al. 2022,
"Large language models can be strong differentially private learners", section 4). Opacus' own ghost clipping goes
backward twice; here once is enough, since every parameter belongs to a linear layer.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from medsynth.generators.masked import MaskedLinear


class PerRowClipping:
    """Sum of per-row gradients, each scaled down to a norm of at most `norm`.

    Every parameter must be the weight or the bias of a `MaskedLinear` or ``nn.Linear``, and every such layer be used
    once a pass, on one vector a row.

    Parameters
    ----------
    modules : iterable of Module
    norm : float
        Largest norm of a row's gradient over all parameters; infinity clips nothing.
    """

    def __init__(self, modules: list[nn.Module], norm: float) -> None:
        self.norm = norm
        self.layers = [m for module in modules for m in module.modules() if isinstance(m, MaskedLinear | nn.Linear)]
        self.parameters = [p for layer in self.layers for p in (layer.weight, layer.bias)]
        known = {id(p) for p in self.parameters}
        if any(id(p) not in known for module in modules for p in module.parameters()):
            raise TypeError("only linear layers have per-row gradients that can be clipped here")
        self._passed: dict[nn.Module, tuple[Tensor, Tensor]] = {}
        self._hooks = [layer.register_forward_hook(self._keep) for layer in self.layers]

    def release(self) -> None:
        """Leave the layers as they were."""
        for hook in self._hooks:
            hook.remove()

    def _keep(self, layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if torch.is_grad_enabled():
            self._passed[layer] = (inputs[0].detach(), output)

    def clipped_sums(self, loss: Callable[[], Tensor], rows: int) -> list[Tensor]:
        """Go forward and backward, and return the sum of clipped gradients of each of `parameters`.

        Parameters
        ----------
        loss : callable
            Goes forward once and returns the sum of the rows' losses, in which every row's is its own.
        rows : int
            Without any, sums are zeros.
        """
        if not rows:
            return [torch.zeros_like(p) for p in self.parameters]
        self._passed.clear()
        total = loss()
        passed = [self._passed[layer] for layer in self.layers]
        gradients = torch.autograd.grad(total, [output for _, output in passed])
        norms = map(squared_norms, self.layers, (x for x, _ in passed), gradients)
        squares = sum(norms, start=total.new_zeros(()))
        scale = (self.norm / squares.sqrt()).clamp(max=1.0)[:, None]
        found = []
        for layer, (x, _), g in zip(self.layers, passed, gradients, strict=True):
            scaled = g * scale
            found += [weight_gradient(layer, x, scaled), scaled.sum(0)]
        self._passed.clear()
        return found


def squared_norms(layer: nn.Module, x: Tensor, g: Tensor) -> Tensor:
    """Squared norm of each row's gradient of a layer's weight and bias: (rows,)."""
    squares = x.square()
    if isinstance(layer, MaskedLinear):
        # A unit sees the first `reach` inputs, whose sum of squares stands at that place of the cumulated sums.
        sums = nn.functional.pad(squares.cumsum(1), (1, 0))
        seen = sums[:, torch.as_tensor(layer.reach, device=x.device)]
    else:
        seen = squares.sum(1, keepdim=True)
    return (g.square() * (seen + 1.0)).sum(1)


def weight_gradient(layer: nn.Module, x: Tensor, g: Tensor) -> Tensor:
    """Gradient of a layer's weight, summed over rows, from inputs and gradients at outputs."""
    if not isinstance(layer, MaskedLinear):
        return g.T @ x
    found = torch.zeros_like(layer.weight)
    for a, b, reach in layer.blocks:
        found[a:b, :reach] = g[:, a:b].T @ x[:, :reach]
    return found * layer.mask
