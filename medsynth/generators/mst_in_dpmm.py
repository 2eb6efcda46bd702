"""What `medsynth.generators.mst` runs in the environment that has dpmm: codes in, conditional tables out, both as npz.

Needs numpy and dpmm 0.1.9 and nothing of this project.
"""

import sys
from typing import Any

import numpy as np


def main(asked: str, answered: str) -> None:
    """Fit MST to codes and write the tables by which columns are drawn one after another."""
    import pandas as pd
    from dpmm.models.base.mechanisms import cdp_rho
    from dpmm.models.base.utils import gaussian_noise
    from dpmm.models.mst import MST
    from scipy import sparse

    with np.load(asked) as arrays:
        given = dict(arrays)
    # Without one, dpmm draws from a generator that the operating system seeds anew for every choice.
    seeded = np.random.RandomState(int(given["seed"])) if "seed" in given else None

    class WeightedMST(MST):
        """MST that says how much noise a count has: dpmm forgets the weight and takes noise for rare categories."""

        def _measure(
            self, data: Any, proj: tuple[int, ...], wgt: float, flatten: Any = None, public: bool = False
        ) -> tuple[Any, np.ndarray, float, tuple[int, ...]]:
            """Count with noise of the operating system's, as dpmm does, or of a seed's."""
            counts = data.project(list(proj)).datavector()
            deviation = self.sigma / wgt
            if seeded is None:
                noise = gaussian_noise(float(deviation), counts.shape)
            else:
                noise = deviation * seeded.standard_normal(counts.size)
            return sparse.eye(counts.size), counts + noise, deviation, proj

    codes, sizes = pd.DataFrame(given["codes"]), given["sizes"].tolist()
    mechanism = WeightedMST(
        epsilon=float(given["epsilon"]),
        delta=float(given["delta"]),
        n_iters=int(given["iterations"]),
        domain=dict(enumerate(sizes)),
        prng=seeded,
        n_jobs=1,
    )
    # A third each for columns, for choosing pairs and for pairs, of what is left.
    mechanism.rho = cdp_rho(mechanism.epsilon, mechanism.delta) - float(given["rho_spent"])
    mechanism.sigma = np.sqrt(3 / (2 * mechanism.rho))
    mechanism.fit(codes)

    model = mechanism.model
    drawn: list[int] = []
    answer = {"rho": mechanism.rho, "order": model.elimination_order[::-1]}
    for column in answer["order"]:
        related = {other for clique in model.cliques if column in clique for other in clique}
        parents = sorted(related.intersection(drawn))
        drawn.append(column)
        kept = mechanism.compressor.supports[column]
        answer[f"parents{column}"] = np.array(parents, dtype=int)
        answer[f"weights{column}"] = model.project((*parents, column)).datavector(flatten=False)
        # Categories too rare to be told from noise are one group behind the others.
        answer[f"groups{column}"] = np.where(kept, np.cumsum(kept) - 1, kept.sum())
    np.savez(answered, **answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
