"""MST, the noisy-marginals method that won NIST's contest, as the package dpmm has it: a rival under a guarantee.

McKenna, Miklau and Sheldon (2021), "Winning the NIST contest: a scalable and general approach to differentially private
synthetic data": noisy histograms of all columns, a tree of pairs of columns chosen by the exponential mechanism, noisy
counts of these pairs, and the distribution of highest entropy that fits them. Before that, part of the budget buys bins
of numbers as in `medsynth.generators.med_vae_private`, here from histograms of the numeric columns alone; what the
guarantee covers is said there, too. Domains are declared to dpmm, which would read them off the rows for free.

Everything is composed as zero-concentrated differential privacy and converted once (Canonne, Kamath and Steinke 2020,
"The discrete Gaussian for differential privacy"), as dpmm does. Noise comes from the operating system, that of counts
by OpenDP's sampler, as dpmm has it; with ``seeded_noise: true`` from the seed.

What else dpmm has is left out. Its PrivBayes chooses pairs by mutual information divided by entropies, with the
sensitivity of the undivided one: where two columns are constant but for one row, that row moves the score by 1, so that
its epsilon is none. Its AIM estimates a model in each of many rounds, which by its own words can take many hours.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from medsynth.codebook import NUMERIC
from medsynth.generators import mst_in_dpmm
from medsynth.generators.environments import interpreter, run_elsewhere
from medsynth.generators.noisy_histograms import noisy_bins
from medsynth.generators.privacy_budget import plan_histograms, zcdp_epsilon_under_replacement
from medsynth.generators.private_columns import Factor, PrivateColumns
from medsynth.randomness import derive_seed


class MST(PrivateColumns):
    """Draws columns along a tree of noisy pairs; see the module.

    Fitting starts another Python, that of the environment ``dpmm`` below the working folder; sampling does not.

    Parameters
    ----------
    epsilon : float, default 1.0
        Budget of the whole run.
    histogram_share : float, default 0.3
        The bins of numbers alone spend this share of epsilon; see `plan_histograms`.
    iterations : int, default 5000
        Of the estimation that fits a distribution to what was measured; dpmm's own default.
    delta, seeded_noise, max_bins, min_bin_rows
        See `PrivateColumns`.
    """

    environment = "dpmm"

    def __init__(
        self,
        *,
        epsilon: float = 1.0,
        delta: float | None = None,
        histogram_share: float = 0.3,
        iterations: int = 5000,
        seeded_noise: bool = False,
        max_bins: int = 32,
        min_bin_rows: int = 10,
    ) -> None:
        super().__init__(
            epsilon=epsilon, delta=delta, seeded_noise=seeded_noise, max_bins=max_bins, min_bin_rows=min_bin_rows
        )
        self.histogram_share, self.iterations = histogram_share, iterations

    def _learn(self, table: pd.DataFrame, seed: int) -> None:
        """Buy bins of numeric columns, and let dpmm spend the rest on codes."""
        # Before anything is spent.
        interpreter(self.environment)
        noise, delta = plan_histograms(self.epsilon, self.delta, rows=len(table), share=self.histogram_share)
        normal = self._randomness(seed).normal
        numeric = self.codebook_.named(*NUMERIC)
        _, self.coder_ = noisy_bins(
            table, self.codebook_, noise, normal, self.max_bins, self.min_bin_rows, names=numeric
        )
        request: dict[str, Any] = {
            "codes": self.coder_.encode(table),
            "sizes": self.coder_.sizes_,
            "epsilon": self.epsilon,
            "delta": delta,
            # A Gaussian mechanism's (Bun and Steinke 2016, proposition 1.6).
            "rho_spent": 0.5 / noise**2 if numeric else 0.0,
            "iterations": self.iterations,
        }
        if self.repeatable:
            request["seed"] = derive_seed(seed, "dpmm")
        answer = _ask(self.environment, request)
        rho = float(answer["rho"])
        self.factors_ = [
            Factor(int(i), tuple(answer[f"parents{i}"].tolist()), answer[f"weights{i}"], answer[f"groups{i}"])
            for i in answer["order"]
        ]
        self.privacy_ = {
            "epsilon": self.epsilon,
            "epsilon_under_replacement": zcdp_epsilon_under_replacement(rho + request["rho_spent"], delta),
            "delta": delta,
            "histogram_noise": noise,
            "rho": rho,
        }


def _ask(environment: str, request: dict[str, Any]) -> dict[str, np.ndarray]:
    """Run `mst_in_dpmm` in another environment; arrays in, arrays out."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "asked.npz", Path(folder) / "answered.npz"
        np.savez(asked, **request)
        run_elsewhere(environment, Path(mst_in_dpmm.__file__), asked, answered)
        with np.load(answered) as arrays:
            return dict(arrays)
