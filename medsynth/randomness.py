"""Every random number of a study comes from its one seed."""

from __future__ import annotations

import hashlib
import random

import numpy as np


def derive_seed(*words: object) -> int:
    """Derive the seed of one purpose from the study's seed and the purpose's name.

    Parameters
    ----------
    *words : object
        For example study seed, generator, replicate and purpose. Their text decides, so that the result is the
        same in every process and on every machine (`hash` is not).

    Returns
    -------
    int
        In [0, 2**31), which every library accepts as a seed.
    """
    digest = hashlib.sha256("\x1f".join(map(str, words)).encode()).digest()
    entropy = np.frombuffer(digest, dtype="<u4").tolist()
    return int(np.random.SeedSequence(entropy).generate_state(1)[0] >> 1)


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch, for libraries that know no other way."""
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
