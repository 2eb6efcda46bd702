"""What generators under differential privacy share: where their noise comes from, and what is said of the guarantee."""

from __future__ import annotations

from typing import Any

from medsynth.errors import InputError
from medsynth.generators.privacy_budget import Randomness
from medsynth.generators.protocol import Generator
from medsynth.randomness import derive_seed

# What the model card says of noise, by the setting 'seeded_noise'.
NOISE = {
    False: "from the operating system: nobody can compute it again",
    True: "from the seed: whoever has the seed can subtract it; for tests and comparisons, not for publishing",
}
# What the model card says that no guarantee covers.
NOT_INCLUDED = "cleaning, imputation, the choice of settings, the number of rows, how long training took"


class Guaranteed(Generator):
    """A generator whose rows are protected by noise; comes first among the bases.

    Attributes
    ----------
    epsilon : float or None
        Budget of the whole run; None for no guarantee.
    seeded_noise : bool
        Whether noise and batches come from the seed instead of the operating system. Without a guarantee there is
        nothing to protect, and the seed decides everything.
    """

    epsilon: float | None
    seeded_noise: bool

    @property
    def private(self) -> bool:
        """See `Generator.private`."""
        return self.epsilon is not None

    @property
    def repeatable(self) -> bool:
        """See `Generator.repeatable`."""
        return self.seeded_noise or not self.private

    def _randomness(self, seed: int) -> Randomness:
        """Make the source of noise and batches."""
        return Randomness(derive_seed(seed, "noise") if self.repeatable else None)

    def _said_of_guarantee(self, unit: str) -> dict[str, Any]:
        """Say on the card which neighbours are meant, and where noise comes from."""
        return {
            "unit_of_privacy": unit,
            "neighbours": f"{unit} zeroed out, the number of rows public",
            "seeded_noise": self.seeded_noise,
            "noise": NOISE[self.seeded_noise] if self.private else "none",
        }


def refuse_seeded(generator: Generator, name: str) -> None:
    """Say that a private model whose noise can be computed again is not to be handed out.

    Parameters
    ----------
    generator : Generator
        Fitted or not.
    name : str
        What the message calls it.

    Raises
    ------
    InputError
        It has a guarantee, and its noise comes from the seed.
    """
    if generator.private and generator.repeatable:
        raise InputError(
            f"The generator '{name}' has a guarantee with 'seeded_noise: true', so whoever has the seed can subtract "
            "the noise; set 'seeded_noise' to false in config/generators and train it again."
        )
