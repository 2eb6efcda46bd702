"""Score one synthetic table, or one reference row: utility, fidelity, detection, importance, and figures' evidence."""

from _job import log, read_table, read_tables, run, share_imports, write_scores, write_text

share_imports(__name__)

import json

import numpy as np

from medsynth.codebook import Codebook
from medsynth.disclosure import is_small, shown_levels
from medsynth.evaluation.comparison import draw_compared, persons_of_test
from medsynth.evaluation.references import REFERENCES, Pair, draw_positions
from medsynth.evaluation.resampling import Score, with_training_persons
from medsynth.evaluation.targets import Target
from medsynth.preparation.encoding import TableEncoder
from medsynth.randomness import derive_seed
from medsynth.scores.detection.compute import CURVE_ROWS, c2st, c2st_null
from medsynth.scores.fairness.compute import Subgroups, group_performance, representation
from medsynth.scores.fidelity.compute import common_bin_pair_trends, moments, quality
from medsynth.scores.fidelity.plot_data import (
    association_difference,
    associations,
    distributions,
    pair_columns,
    pairs,
    shown_associations,
)
from medsynth.scores.importance.compute import explain
from medsynth.scores.precision_recall.compute import precision_recall
from medsynth.scores.precision_recall.marginals import three_way_marginals
from medsynth.scores.utility.compute import majority, predict, train_and_test, utility_scores
from medsynth.scores.violations.compute import violations


def main(job):
    """Compare the table of every epoch count with held-out real rows."""
    found, evidence = {}, {}
    for i, epochs in enumerate(job.params.scored_epochs):
        scored = Scored(job, i)
        found[epochs] = list(scored.scores())
        log.info("%d epochs scored", epochs)
        if epochs == job.params.shown_epochs:
            evidence = {"importance": scored.explanations}
            if scored.generator not in REFERENCES and scored.generator != "majority":
                evidence |= scored.evidence()
    write_scores(job, found)
    write_text(job.output.evidence, json.dumps(evidence))


class Scored:
    """A table, what it is compared with, and the families of its scores."""

    def __init__(self, job, i):
        self.params, params = job.params, job.params
        # Forests are explained at the epoch count that is shown alone.
        self.explained = params.explained if params.scored_epochs[i] == params.shown_epochs else []
        self.train, self.test, whose = read_tables(job, "train", "test", "persons")
        self.person = {name: found["person"].to_numpy() for name, found in whose.groupby("partition")}
        self.codebook = Codebook.from_json(job.input.codebook)
        self.generator = job.wildcards.generator
        rng = np.random.default_rng(derive_seed(params.study_seed, self.generator, job.wildcards.seed, "score"))
        self.persons = persons_of_test(self.person["test"], params.study_seed)
        if self.generator in REFERENCES:
            self.pair = REFERENCES[self.generator](self.train, self.test, self.person["test"], rng)
        else:
            table = self.train if self.generator == "majority" else read_table(job.input.synthetic[i])
            self.pair = Pair(table, np.arange(len(self.test)))
        self.compared = draw_compared(
            self.pair, self.test, self.persons, rng, study_seed=params.study_seed, n_train=len(self.train),
            utility_rows=params.utility_rows, test_rows=params.test_rows, fidelity_rows=params.fidelity_rows,
        )  # fmt: skip
        self.seed = derive_seed(params.study_seed, job.wildcards.seed, "detector and classifiers")
        # SDMetrics draws from the global generator where it subsamples.
        np.random.seed(self.seed)
        self.encoder = TableEncoder().fit(self.train)
        self.targets = [Target(**target) for target in params.targets]
        self.subgroups = [Subgroups(**one) for one in params.subgroups]
        self.matrices, self.explanations, self.forests = {}, {}, {}

    def scores(self):
        """Every score with its family."""
        parts = ["majority"] if self.generator == "majority" else ["utility", "importance", "fidelity", "detection"]
        for part in parts:
            for family, scores in getattr(self, part)():
                yield from ((family, score) for score in scores)
            log.info("%s scored", part)

    def utility(self):
        """Classifiers trained on the table, tested on real rows: at equal information, and by the paper's protocol."""
        if self.generator == "holdout":  # half of the test rows is no reference for what training rows can teach
            return
        compared, least = self.compared, self.params.least_patients
        how = {"seed": self.seed, "weights": compared.tested_persons.weights}
        for target in self.targets:
            predicted = predict(compared.equal_information, compared.tested, target, self.encoder, seed=self.seed)
            self.forests[target.name] = predicted["random_forest"]
            equal = list(utility_scores(predicted, compared.tested, target, how["weights"]))
            equal = self.with_training(equal, target, len(compared.equal_information))
            yield "utility", equal
            if len(compared.protocol) == len(compared.equal_information):
                yield "utility_protocol", equal
            else:
                fewer = train_and_test(compared.protocol, compared.tested, target, self.encoder, **how)
                yield "utility_protocol", self.with_training(fewer, target, len(compared.protocol))
            if target is self.targets[0]:
                # By the first classifier alone: what is asked is whether groups differ.
                first = next(iter(predicted.values()))
                yield (
                    "fairness",
                    group_performance(
                        first.probability, compared.tested, target, self.subgroups, least=least, weights=how["weights"]
                    ),
                )

    def with_training(self, scores, target, rows):
        """Add what other training persons would change, where classifiers learn from real rows."""
        if self.generator != "real":
            return list(scores)

        def of_rows(positions):
            chosen = draw_positions(len(positions), rows // 2, np.random.default_rng(self.seed))
            part = self.train.iloc[positions[chosen]].reset_index(drop=True)
            return train_and_test(part, self.compared.tested, target, self.encoder, seed=self.seed)

        return list(with_training_persons(scores, of_rows, self.person["train"], seed=self.seed))

    def majority(self):
        """Always the most frequent class."""
        for target in self.targets:
            rows = np.bincount(target.labels(self.compared.tested), minlength=2)
            if is_small(rows, self.params.least_patients).any():
                # Its accuracy is the share of a class, and that would be of few patients.
                log.info("%s: the majority class is withheld", target.name)
                continue
            scores = list(
                train_and_test(
                    self.train, self.compared.tested, target, self.encoder, seed=self.seed,
                    classifiers={"majority": majority}, weights=self.compared.tested_persons.weights,
                )
            )  # fmt: skip
            yield "utility", scores
            yield "utility_protocol", scores

    def importance(self):
        """What forests look at, in the same real rows for every table of the study: they differ by training alone."""
        rng = np.random.default_rng(derive_seed(self.params.study_seed, "explained rows"))
        rows = self.pair.against[draw_positions(len(self.pair.against), self.params.importance_rows, rng)]
        explained, persons = self.test.iloc[rows].reset_index(drop=True), self.persons.take(rows)
        for target in (target for target in self.targets if target.name in self.explained):
            explanation = explain(
                self.compared.equal_information, explained, target, self.encoder, seed=self.seed,
                trained=self.forests[target.name],
            )  # fmt: skip
            yield "importance", explanation.scores(persons)
            self.explanations[target.name] = explanation.evidence(self.params.least_patients)

    def fidelity(self):
        """How closely the table resembles real rows."""
        compared, codebook = self.compared, self.codebook
        judged, against, persons = compared.judged, compared.against, compared.against_persons
        real, of_patients, of_table = self.real(), self.generator in ("real", "holdout"), self.persons_of_table()
        least = self.params.least_patients
        yield (
            "fairness",
            representation(
                self.pair.table, real, self.subgroups, least=least, held_out=self.test if of_patients else None,
                weights=self.persons.take(self.pair.against).weights, table_weights=of_table and of_table.weights,
            ),
        )  # fmt: skip
        yield "fidelity", self.without_rare_shapes(quality(judged, against, codebook, persons), real)
        yield "fidelity", common_bin_pair_trends(judged, against, codebook, persons)
        yield "fidelity", moments(judged, against, codebook, persons)
        beyond = {"seed": derive_seed(self.params.study_seed, "precision and marginals"), "weights": persons.weights}
        yield "fidelity", precision_recall(judged, against, codebook, learned=self.train, **beyond)
        yield "fidelity", three_way_marginals(judged, against, codebook, **beyond)
        # A rate needs nothing to be compared with, so every row counts.
        yield "fidelity", violations(self.pair.table, codebook, of_table, least=least if of_patients else None)
        self.matrices = {"synthetic": associations(judged, codebook), "real": associations(against, codebook)}
        yield "fidelity", [association_difference(self.matrices["synthetic"], against, codebook, persons)]

    def without_rare_shapes(self, scores, real):
        """Withhold shapes of binary columns with a rare level: who has the synthetic table can solve them for it."""
        against, least = self.compared.against, self.params.least_patients
        rare = {
            name
            for name in self.codebook.named("binary")
            if shown_levels(against[name], self.codebook.columns[name], least, drawn_from=real[name]).empty
        }
        for score in scores:
            hidden = score.metric == "column_shape" and score.about.column in rare
            yield Score(score.metric, np.nan, about=score.about) if hidden else score

    def real(self):
        """Real rows that the table is judged against."""
        whole = len(self.pair.against) == len(self.test)
        return self.test if whole else self.test.iloc[self.pair.against].reset_index(drop=True)

    def persons_of_table(self):
        """Persons behind the rows of a reference row that is real; None for rows that a generator drew."""
        if self.generator == "real":
            return persons_of_test(self.person["train"], self.params.study_seed)
        return None if self.pair.table_rows is None else self.persons.take(self.pair.table_rows)

    def detection(self):
        """Whether detectors tell the table from real rows, and real rows from real rows."""
        compared = self.compared
        yield (
            "detection",
            c2st(
                compared.judged, compared.against, self.encoder, seed=self.seed, persons=compared.against_persons,
                synthetic_persons=compared.judged_persons, curve=CURVE_ROWS,
            ),
        )  # fmt: skip
        if self.generator == "holdout":
            rows = len(compared.judged)
            yield "detection", c2st_null(self.test, self.persons, self.encoder, rows=rows, seed=self.seed)

    def evidence(self):
        """What figures need: the same columns for every generator of the study; of all rows where joint."""
        chosen = pair_columns(self.codebook, derive_seed(self.params.study_seed, "pair plot"))
        shown = {"edges_from": "real", "least": self.params.least_patients}
        compared, real = {"synthetic": self.compared.judged, "real": self.compared.against}, self.real()
        return {
            "distributions": distributions(compared, self.codebook, **shown, drawn_from=real),
            "associations": shown_associations(
                self.matrices, self.compared.against, self.codebook, least=shown["least"]
            ),
            "pairs": pairs({"synthetic": self.pair.table, "real": real}, self.codebook, chosen, **shown),
        }


if __name__ == "__main__":
    run(snakemake, main)
