"""What a private training run may do and what it spends: noise computed from epsilon, epsilon computed twice.

A run releases two things of its rows: noisy histograms of the columns, once (the Gaussian mechanism), and sums of
clipped gradients with noise, of batches that every row enters with one probability (the Poisson-subsampled Gaussian
mechanism; Abadi et al. 2016, "Deep learning with differential privacy"). The two are composed by numerical convolution
of their privacy loss distributions, which is tighter than adding epsilons, by two programs: Opacus (Gopi, Lee and
Wutschitz 2021, "Numerical composition of differential privacy") and Google's dp-accounting (Doroshenko et al. 2022,
"Connect the dots"). Both bound from above; noise is such that neither exceeds the budget.

Which neighbours: tables that differ by one row that is zeroed out, so that it adds nothing to any count or sum; the
number of rows is public (Kairouz et al. 2021, "Practical and private (deep) learning without sampling or shuffling",
definition 1.1). Epsilon is that of these neighbours. Some guarantees are stated for one row that is replaced by any
other, which is a change from the row to nothing and on to the other row. Of the same noise, `epsilon_under_replacement`
says what epsilon is then: somewhat more than twice as much (0.5, 1, 2, 8 become 1.05, 2.10, 4.15, 14.6 with the
defaults of `DPMedVAEPlus` on 55,976 rows).
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Context
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from medsynth.codebook import Codebook
from medsynth.errors import InputError

if TYPE_CHECKING:
    import dp_accounting

# How much Opacus' upper bound may exceed what is spent; how finely the inverse of noise is searched, and from where.
ERROR = 0.003
TOLERANCE = 1e-4
MOST_NOISE = 1e6
UPWARDS = Context(prec=4, rounding=ROUND_CEILING)
# Orders of Rényi divergences among which the best is taken.
ZCDP_ORDERS = [1 + x / 20 for x in range(1, 2000)]

# Noise, sample rate and number of mechanisms of one kind.
Mechanism = tuple[float, float, int]


@dataclass(frozen=True)
class Budget:
    """A run and the noise in it.

    Attributes
    ----------
    delta : float
    histogram_noise : float
        Standard deviation of a histogram's noise, in units of how far one row can move all histograms together.
    noise_multiplier : float
        Standard deviation of the noise on a sum of gradients, in units of the clip norm.
    sample_rate : float
        Probability with which a row enters a batch.
    steps : int
    """

    delta: float
    histogram_noise: float
    noise_multiplier: float
    sample_rate: float
    steps: int

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """The histograms and the steps."""
        return (self.histogram_noise, 1.0, 1), (self.noise_multiplier, self.sample_rate, self.steps)

    def epsilon(self) -> float:
        """Upper bound of what is spent, by Opacus' PRV accountant."""
        return _prv_epsilon(self.mechanisms, self.delta)

    def epsilon_second_accountant(self) -> float:
        """Upper bound of what is spent, by the PLD accountant of dp-accounting."""
        return _pld_epsilon(self.mechanisms, self.delta)

    def epsilon_under_replacement(self) -> float:
        """Upper bound of what is spent where neighbours differ by one row replaced; see the function of this name."""
        return epsilon_under_replacement(self.mechanisms, self.delta)


# Each takes up to seconds, and is asked for when a model is planned, again for its card, and for every seed.
@cache
def epsilon_under_replacement(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    """Upper bound of epsilon, at the same delta and noise, where neighbours differ by one row replaced by another.

    By dp-accounting's PLD accountant for that relation; Opacus has none. Two clipped gradients, of the row and of the
    one in its place, are up to 2 clip norms apart and enter a batch together: privacy losses are those of
    (1 - q) N(0, s) + q N(1, s) against (1 - q) N(0, s) + q N(-1, s) for sample rate q and noise s, composed over the
    steps. Without sampling that is twice the sensitivity. For histograms it is more than they need, since a row that
    changes cells moves two of each column by 1, which is the square root of 2 times what one that leaves moves: at an
    epsilon of 1 that would give 2.03 instead of 2.10, and of histograms alone 1.46 instead of 2.14.

    Parameters
    ----------
    mechanisms : tuple of tuple
        Noise, sample rate and number of each.
    delta : float
    """
    from dp_accounting import NeighboringRelation
    from dp_accounting.pld import PLDAccountant

    accountant = PLDAccountant(NeighboringRelation.REPLACE_ONE)
    return float(accountant.compose(_event(mechanisms)).get_epsilon(delta))


def zcdp_epsilon_under_replacement(rho: float, delta: float) -> float:
    """Upper bound of epsilon where one row is replaced, of what is rho-zCDP where one row is zeroed out.

    Two such changes make 4 rho (Bun and Steinke 2016, "Concentrated differential privacy", group privacy), which is
    converted by dp-accounting (Canonne, Kamath and Steinke 2020, "The discrete Gaussian for differential privacy").
    """
    from dp_accounting import ZCDpEvent
    from dp_accounting.rdp import RdpAccountant

    return float(RdpAccountant(ZCDP_ORDERS).compose(ZCDpEvent(4 * rho)).get_epsilon(delta))


def _event(mechanisms: tuple[Mechanism, ...]) -> dp_accounting.DpEvent:
    """Composed mechanisms as dp-accounting has them."""
    import dp_accounting as dp

    parts = [
        dp.SelfComposedDpEvent(dp.PoissonSampledDpEvent(sample_rate, dp.GaussianDpEvent(noise)), times)
        for noise, sample_rate, times in mechanisms
    ]
    return dp.ComposedDpEvent(parts)


@cache
def _pld_epsilon(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    """Upper bound of the epsilon of composed mechanisms, by dp-accounting."""
    from dp_accounting.pld import PLDAccountant

    return float(PLDAccountant().compose(_event(mechanisms)).get_epsilon(delta))


@cache
def _prv_epsilon(mechanisms: tuple[Mechanism, ...], delta: float) -> float:
    """Upper bound of the epsilon of composed mechanisms, by Opacus."""
    from opacus.accountants import PRVAccountant

    accountant = PRVAccountant()
    accountant.history = list(mechanisms)
    # It warns where a mechanism without sampling takes the logarithm of 0 (which it then leaves out), and of the orders
    # by which it finds how far to look.
    with warnings.catch_warnings(action="ignore"), np.errstate(divide="ignore"):
        try:
            return float(accountant.get_epsilon(delta, eps_error=ERROR))
        except ValueError:
            raise InputError(
                f"The setting 'delta' is {delta:g}, too small to compute an epsilon for; take 1e-12 or more."
            ) from None


def _least_noise(mechanisms_with: Callable[[float], tuple[Mechanism, ...]], epsilon: float, delta: float) -> float:
    """Least noise with which mechanisms spend at most epsilon by either accountant."""
    import dp_accounting as dp
    from dp_accounting.pld import PLDAccountant

    # By the inverse of noise, upwards from nearly none: the less noise, the longer it takes to say what it costs.
    inverse = dp.calibrate_dp_mechanism(
        PLDAccountant,
        lambda inverse: _event(mechanisms_with(1 / inverse)),
        epsilon,
        delta,
        bracket_interval=dp.LowerEndpointAndGuess(1 / MOST_NOISE, 0.1),
        tol=TOLERANCE,
    )
    noise = 1 / inverse
    while (spent := _prv_epsilon(mechanisms_with(noise), delta)) > epsilon:
        noise *= 1.0005 * spent / epsilon
    return noise


def _check(name: str, value: float, most: float, meaning: str) -> None:
    """Refuse a setting that is not above 0 and below `most`."""
    if not 0 < value < most:
        raise InputError(f"The setting '{name}' is {value:g} and must be in {meaning}.")


def refuse_several_rows(codebook: Codebook) -> None:
    """Say that a guarantee of rows is none of persons who have several."""
    if (codebook.rows_per_person or 1) > 1:
        raise InputError(
            f"A person has up to {codebook.rows_per_person} rows in {codebook.name}, but the guarantee is for one "
            "row; keep one row a person ('first_per'), or take a generator without epsilon."
        )


@cache
def plan_histograms(
    epsilon: float, delta: float | None, *, rows: int, share: float | None = None
) -> tuple[float, float]:
    """Compute the least noise with which histograms of all columns alone spend a share of epsilon, and delta.

    Parameters
    ----------
    epsilon : float
    delta : float or None
        None: ``rows ** -1.1``.
    rows : int
        Rows of the table.
    share : float, optional
        Below 1; default: they spend all of it.

    Returns
    -------
    noise : float
        In units of how far one row can move all histograms together.
    delta : float

    Raises
    ------
    InputError
        Something is out of its range.
    """
    delta = rows**-1.1 if delta is None else delta
    _check("epsilon", epsilon, math.inf, "(0, inf)")
    if share is not None:
        _check("histogram_share", share, 1, "(0, 1)")
    if not 0 < delta <= 1 / rows:
        raise InputError(
            f"The setting 'delta' is {delta:g} and must be above 0 and at most 1 / {rows:,} rows = {1 / rows:.2g}, or "
            "publishing a random row would count as private."
        )
    return _least_noise(lambda noise: ((noise, 1.0, 1),), epsilon * (share or 1), delta), delta


@cache
def plan_budget(
    epsilon: float,
    delta: float | None,
    *,
    rows: int,
    sample_rate: float,
    steps: int,
    histogram_share: float,
    noise_multiplier: float | None = None,
) -> Budget:
    """Compute the least noise with which a run spends at most epsilon.

    Parameters
    ----------
    epsilon : float
    delta : float or None
        None: ``rows ** -1.1``.
    rows : int
        Rows of the table.
    sample_rate : float
        Share of the rows that a batch is expected to have.
    steps : int
    histogram_share : float
        The histograms alone spend this share of epsilon. As variances of noise add up and not epsilons, training with
        what is left needs but little more noise (at a share of 0.3 some 5 %).
    noise_multiplier : float, optional
        Of the gradients, instead of the least that the budget allows.

    Raises
    ------
    InputError
        Something is out of its range, or the run would spend more than epsilon by either accountant.
    """
    _check("epsilon", epsilon, math.inf, "(0, inf); null for no guarantee")
    _check("sample_rate", sample_rate, 1 + 1e-12, "(0, 1]: a batch cannot be larger than the table")
    _check("steps", steps, math.inf, "(0, inf)")
    histogram_noise, delta = plan_histograms(epsilon, delta, rows=rows, share=histogram_share)
    budget = Budget(delta, histogram_noise, noise_multiplier or math.nan, sample_rate, steps)
    if noise_multiplier is None:
        noise_multiplier = _least_noise(
            lambda noise: replace(budget, noise_multiplier=noise).mechanisms, epsilon, delta
        )
        return replace(budget, noise_multiplier=noise_multiplier)
    if noise_multiplier <= 0 or (spent := max(budget.epsilon(), budget.epsilon_second_accountant())) > epsilon:
        # Rounded up: never shown as the budget that it exceeds.
        spends = (
            "spends without bound" if noise_multiplier <= 0 else f"spends an epsilon of {UPWARDS.create_decimal(spent)}"
        )
        raise InputError(
            f"The setting 'noise_multiplier' of {noise_multiplier:g} {spends} in {steps} steps at a sample rate of "
            f"{sample_rate:g}, more than the budget of {epsilon:g}; leave it out to have it computed."
        )
    return budget


class Randomness:
    """Where noise and batches come from.

    Parameters
    ----------
    seed : int or None
        None: the operating system's generator, which nobody can repeat; its normal numbers are halves of sums of four,
        so that their last bits do not reveal what they were added to (Holohan and Braghin 2021, "Secure random sampling
        in differential privacy").
    """

    def __init__(self, seed: int | None) -> None:
        self._rng = None if seed is None else np.random.default_rng(seed)

    def uniform(self, n: int) -> np.ndarray:
        """Draw from (0, 1)."""
        if self._rng is not None:
            return self._rng.random(n)
        bits = np.frombuffer(os.urandom(8 * n), dtype="uint64") >> np.uint64(11)
        return (bits + 0.5) * 2.0**-53

    def normal(self, n: int) -> np.ndarray:
        """Draw from N(0, 1)."""
        if self._rng is not None:
            return self._rng.standard_normal(n)
        from scipy.special import ndtri

        return sum(ndtri(self.uniform(n)) for _ in range(4)) / 2
