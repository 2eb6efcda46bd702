"""Draw what compares the generators of a study, and what their training says of itself."""

from _job import Job, log, read_scores, run, share_imports

share_imports(__name__)

import json
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from medsynth.display.canvas import save_figure, without_scores
from medsynth.errors import InputError
from medsynth.scores.conditional.compute import Cohort
from medsynth.scores.conditional.figure import success_matrices
from medsynth.scores.detection.figure import detection_by_rows
from medsynth.scores.fidelity.spread import spread_and_quality
from medsynth.scores.inference.figure import forest
from medsynth.scores.learning_curve.figure import learning_curves
from medsynth.scores.privacy.curve import privacy_curve
from medsynth.scores.privacy.figure import privacy_sweep, privacy_trade
from medsynth.scores.privacy.table import largest_delta
from medsynth.scores.training.figure import architecture, loss_curves
from medsynth.scores.utility.figure import accuracy_by_epochs


def main(job: Job) -> None:
    """Read the long table and the model cards, draw every figure that the study asks for, save as png and pdf."""
    params, scores = job.params, read_scores(job)
    cohorts = [Cohort(**cohort) for cohort in params.cohorts]

    def cards(generator: str) -> list[dict[str, Any]]:
        """Cards of a generator's last models, one a seed."""
        return [json.loads(Path(path).read_text(encoding="utf-8")) for path in params.cards[generator]]

    def draw(kind: str, of: str) -> Figure:
        """Draw a figure of a generator, a target or, for "", the study."""
        note, styles = {"note": params.note}, params.styles
        if kind == "accuracy":
            return accuracy_by_epochs(scores, styles, target=of, **note)
        if kind == "learning_curve":
            return learning_curves(scores, styles, target=params.main_target, **note)
        if kind == "inference":
            return forest(scores, styles, outcome=params.outcome, **note)
        if kind == "detection":
            return detection_by_rows(scores, styles, **note)
        if kind == "spread":
            return spread_and_quality(scores, styles, **note)
        if kind == "privacy_trade":
            return privacy_trade(scores, styles, **note)
        if kind == "privacy_sweep":
            return privacy_sweep(scores, params.swept, sweep=params.sweep, **note)
        if kind == "privacy_curve":
            delta = largest_delta(pd.read_csv(job.input.preparation))
            return privacy_curve(
                scores, params.budgets, styles, target=params.main_target, guarantees=params.guarantees, delta=delta,
                **note,
            )  # fmt: skip
        style = styles[of]
        if kind == "conditions":
            return success_matrices(scores, cohorts, generator=of, title=style["title"], **note)
        if kind == "losses":
            return loss_curves([card["history"] for card in cards(of)], **style, **note)
        return architecture(cards(of)[0]["architecture"], title=style["title"], **note)

    def draw_or_say(kind: str, of: str) -> Figure:
        """Draw a figure; where there is no score to draw, say why instead: small tables leave some scores empty."""
        try:
            return draw(kind, of)
        except InputError as error:
            log.warning("%s: %s", kind, error)
            return without_scores(str(error), note=params.note)

    for (kind, of), path in zip(params.figures, map(Path, job.output.png), strict=True):
        save_figure(draw_or_say(kind, of), path.with_suffix(""))
        log.info("%s drawn", path.stem)


if __name__ == "__main__":
    snakemake: Job
    run(snakemake, main)
