"""One table as it is judged: the table, the real rows beside it, and what several families of scores need of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from medsynth.codebook import Codebook
from medsynth.evaluation.comparison import Compared, persons_of_test
from medsynth.evaluation.references import Pair, draw_positions
from medsynth.evaluation.resampling import Persons, Score, with_training_persons
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder

if TYPE_CHECKING:
    from medsynth.scores.utility.compute import Trained


@dataclass
class Judged:
    """A table and what it is compared with; modules ``scoring`` of the families of scores get it.

    Attributes
    ----------
    name : str
        Generator or reference row; for ``majority`` there is no table, and training rows stand for it.
    train, test : DataFrame
        Partitions.
    person : mapping of ndarray
        Partition -> whose rows they are.
    persons : Persons
        Those of the test partition, with their replicates.
    codebook : Codebook
    encoder : TableEncoder
        Fitted to the training rows.
    pair : Pair
        The table and the real rows that it is judged against.
    compared : Compared
        Which rows of both are compared.
    targets : list of Target
    explained : list of str
        Targets whose forests are explained for this table.
    settings : Mapping
        Further settings of a study by name, such as ``subgroups`` and ``importance_rows``.
    study_seed, seed : int
        Of the study, and of detectors and classifiers of this training seed.
    least : int
        Fewer real patients are not shown.
    plot_data : dict
        What is no score but what figures need; families add to it.
    """

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    person: Mapping[str, np.ndarray]
    persons: Persons
    codebook: Codebook
    encoder: TableEncoder
    pair: Pair
    compared: Compared
    targets: list[Target]
    explained: list[str]
    settings: Mapping[str, Any]
    study_seed: int
    seed: int
    least: int
    plot_data: dict[str, Any] = field(default_factory=dict)

    @property
    def has_table(self) -> bool:
        """Whether there is a table at all: always naming the most frequent class needs none."""
        return self.name != "majority"

    @property
    def of_patients(self) -> bool:
        """Whether the rows of the table are real patients'."""
        return self.name in ("real", "holdout")

    @property
    def teaches(self) -> bool:
        """Whether classifiers are trained on it: half of the test rows is no reference for what training rows teach."""
        return self.name not in ("holdout", "majority")

    @cached_property
    def predicted(self) -> dict[str, dict[str, Trained]]:
        """Target -> classifier -> what it predicts of held-out rows, trained on as many rows as the generator saw."""
        from medsynth.scores.utility.compute import predict

        rows, tested = self.compared.equal_information, self.compared.tested
        return {t.name: predict(rows, tested, t, self.encoder, seed=self.seed) for t in self.targets}

    def with_training(
        self, found: Iterable[Score], rows: int, of_part: Callable[[pd.DataFrame], Iterable[Score]]
    ) -> list[Score]:
        """Add to scores what other training persons would change, where models learn from real rows.

        Parameters
        ----------
        found : iterable of Score
        rows : int
            That the models learned from; of each half of the training persons they learn from half as many.
        of_part : callable
            ``of_part(table)`` gives the same scores, learned from other real rows.
        """
        if self.name != "real":
            return list(found)

        def of_rows(positions: np.ndarray) -> Iterable[Score]:
            chosen = draw_positions(len(positions), rows // 2, np.random.default_rng(self.seed))
            return of_part(self.train.iloc[positions[chosen]].reset_index(drop=True))

        return list(with_training_persons(found, of_rows, self.person["train"], seed=self.seed))

    @cached_property
    def real(self) -> pd.DataFrame:
        """Real rows that the table is judged against."""
        whole = len(self.pair.against) == len(self.test)
        return self.test if whole else self.test.iloc[self.pair.against].reset_index(drop=True)

    @cached_property
    def persons_of_table(self) -> Persons | None:
        """Persons behind the rows of a reference row that is real; None for rows that a generator sampled."""
        if self.name == "real":
            return persons_of_test(self.person["train"], self.study_seed)
        return None if self.pair.table_rows is None else self.persons.take(self.pair.table_rows)
