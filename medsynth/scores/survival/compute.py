"""Train survival models on synthetic rows, test them on real ones; and compare when events happen.

Who is followed for a time without the event is censored. Scores allow for that by inverse probability of censoring
weights, from the Kaplan-Meier estimate of the censoring of real training rows: the same for every table.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from medsynth.codebook import Codebook
from medsynth.evaluation.resampling import Score, least_variance, weighted_mean
from medsynth.evaluation.targets import Predicted
from medsynth.preparation.encoding import TableEncoder
from medsynth.scores.fairness.compute import Subgroups
from medsynth.scores.inference.compute import Design

log = logging.getLogger("medsynth")

# Share of the real training rows that are still followed at the horizon, where a study names none.
FOLLOWED = 0.1
# Times at which the Brier score is integrated and curves are drawn, evenly spread up to the horizon.
TIMES = 100
# Weight of the ridge penalty per row: enough for terms that repeat each other or separate the rows.
PENALTY = 0.1
# Of XGBoost: at its factory settings it overfits hazards so far that Kaplan-Meier without predictors scores better.
BOOSTING = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.1}
# Risks closer than this are tied, as in torchsurv.
TIED = 1e-8


class TimeToEvent(Predicted):
    """Time to an event, censored where follow-up ends before it; neither column is a predictor."""

    time: str = Field(description="numeric column: time to the event, or to the end of follow-up")
    event: str = Field(description="coded column: whether the event happened then")
    positive: str = Field(description="its category for 'it did'; all others are censored")
    horizon: float | None = Field(
        None,
        gt=0,
        description="time up to which scores and curves count; default: a tenth of the training rows has longer ones",
    )
    groups: list[Subgroups] = Field([], description="groups with curves and survival times of their own")

    @property
    def made_of(self) -> list[str]:
        """See `Predicted.made_of`."""
        return [self.time, self.event]

    def check(self, codebook: Codebook) -> None:
        """Check that columns, category and groups exist and fit; `InputError` says what does not."""
        super().check(codebook)
        self.check_numeric(codebook, self.time)
        self.check_category(codebook, self.event, self.positive)
        for groups in self.groups:
            groups.check(codebook)

    def followed(self, table: pd.DataFrame) -> Followed:
        """How long rows are followed, and which of them had the event then; a time below 0 is 0."""
        times = np.maximum(table[self.time].to_numpy("float64"), 0.0)
        return Followed(times, (table[self.event] == self.positive).to_numpy())

    def horizon_in(self, train: pd.DataFrame) -> float:
        """Time up to which scores count, for real training rows."""
        times = self.followed(train).times
        # Where nearly all are followed for no time, the longest follow-up.
        return self.horizon or float(np.quantile(times, 1 - FOLLOWED, method="lower") or times.max())

    def lacks(self, table: pd.DataFrame) -> tuple[str, str] | None:
        """See `Predicted.lacks`."""
        followed = self.followed(table)
        if not followed.events.any():
            return "no event", f"'{self.event}' is '{self.positive}' in none of {len(table):,} rows"
        if followed.times.max() <= (self.horizon or 0):
            return "no row that is followed beyond its horizon", f"{self.horizon or 0:g}"
        return None

    def varies_widely(self, test: pd.DataFrame, least: int) -> str:
        """See `Predicted.varies_widely`."""
        return "events are in" if self.followed(test).events.sum() < least else ""


class Followed(NamedTuple):
    """Follow-up of rows.

    Attributes
    ----------
    times : ndarray of float, shape (rows,)
        To the event, or to the end of follow-up.
    events : ndarray of bool, shape (rows,)
    """

    times: np.ndarray
    events: np.ndarray

    def take(self, rows: np.ndarray) -> Followed:
        """Some of the rows, by positions or a mask."""
        return Followed(self.times[rows], self.events[rows])


class Curves(NamedTuple):
    """Kaplan-Meier curves under several weights.

    Attributes
    ----------
    times : ndarray of float, shape (times,)
        Distinct ones, ascending.
    survival : ndarray of float, shape (replicates, times)
        Share without the event just after each time.
    """

    times: np.ndarray
    survival: np.ndarray

    def at(self, times: np.ndarray) -> np.ndarray:
        """Survival at other times: shape (replicates, times)."""
        place = np.searchsorted(self.times, times, side="right")
        return np.insert(self.survival, 0, 1.0, axis=1)[:, place]

    def median(self) -> np.ndarray:
        """First time at which half of the rows or fewer are without the event: (replicates,); NaN if none."""
        reached = self.survival <= 0.5 + 1e-9
        return np.where(reached.any(axis=1), self.times[reached.argmax(axis=1)], np.nan)

    def restricted_mean(self, horizon: float) -> np.ndarray:
        """Mean time without the event up to the horizon, the area below the curves: (replicates,)."""
        inside = self.times < horizon
        widths = np.diff(np.concatenate([[0.0], self.times[inside], [horizon]]))
        return np.insert(self.survival[:, inside], 0, 1.0, axis=1) @ widths


def kaplan_meier(followed: Followed, weights: np.ndarray | None = None) -> Curves:
    """Estimate survival (Kaplan and Meier 1958), for all replicates at once.

    Parameters
    ----------
    followed : Followed
    weights : ndarray, shape (replicates, rows), optional
        How often each row counts; default: once, one curve.
    """
    order = np.argsort(followed.times, kind="stable")
    times, starts = np.unique(followed.times[order], return_index=True)
    counted = np.ones((1, len(order))) if weights is None else weights[:, order].astype("float64")
    leaving = np.add.reduceat(counted, starts, axis=1)
    events = np.add.reduceat(counted * followed.events[order], starts, axis=1)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        hazard = np.where(at_risk > 0, events / at_risk, 0.0)
    return Curves(times, np.cumprod(1 - hazard, axis=1))


class Forecast(NamedTuple):
    """What a survival model says of test rows.

    Attributes
    ----------
    risk : ndarray of float, shape (rows,)
        Log hazard against the average; who has more is expected to have the event earlier. NaN: it could not be fitted.
    survival : ndarray of float, shape (rows, times)
        Probability of having had no event by each time.
    """

    risk: np.ndarray
    survival: np.ndarray


def cox_risks(x: np.ndarray, followed: Followed, x_test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Cox's proportional hazards by lifelines, slightly penalised; log risks of the rows learned from and of others."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    # A column of one value has no term.
    varies = x.std(axis=0) > 1e-8
    names = [f"x{i}" for i in np.flatnonzero(varies)]
    frame = pd.DataFrame(x[:, varies], columns=names).assign(time=followed.times, event=followed.events)
    if not names:
        return np.zeros(len(x)), np.zeros(len(x_test))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = CoxPHFitter(penalizer=PENALTY).fit(frame, "time", "event")
        except ConvergenceError as error:
            log.warning("Cox: no model, since %s", str(error).splitlines()[0])
            return np.full(len(x), np.nan), np.full(len(x_test), np.nan)
    risks = [fitted.params_[names].to_numpy() @ (rows[:, varies] - x[:, varies].mean(axis=0)).T for rows in (x, x_test)]
    return risks[0], risks[1]


def xgboost_risks(x: np.ndarray, followed: Followed, x_test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """XGBoost's Cox objective: log risks of the rows learned from and of others."""
    from xgboost import XGBRegressor

    # It wants the times of censored rows to be negative, and so no time to be 0.
    times = np.maximum(followed.times, np.finfo("float32").tiny)
    model = XGBRegressor(objective="survival:cox", tree_method="hist", n_jobs=1, random_state=seed, **BOOSTING)
    model.fit(x, np.where(followed.events, times, -times))
    risks = [model.predict(rows, output_margin=True).astype("float64") for rows in (x, x_test)]
    return risks[0], risks[1]


def no_risks(x: np.ndarray, followed: Followed, x_test: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """All rows alike: what is left is about the Kaplan-Meier curve of the rows learned from."""
    return np.zeros(len(x)), np.zeros(len(x_test))


Risks = Callable[[np.ndarray, Followed, np.ndarray, int], tuple[np.ndarray, np.ndarray]]
MODELS: dict[str, Risks] = {"cox": cox_risks, "xgboost": xgboost_risks}


def breslow(risk: np.ndarray, followed: Followed, times: np.ndarray) -> np.ndarray:
    """Cumulative baseline hazard at times (Breslow 1972) where rows have these log risks: shape (times,)."""
    order = np.argsort(followed.times, kind="stable")
    known, starts = np.unique(followed.times[order], return_index=True)
    hazard = np.exp(risk[order])
    at_risk = np.cumsum(np.add.reduceat(hazard, starts)[::-1])[::-1]
    events = np.add.reduceat(followed.events[order].astype("float64"), starts)
    steps = np.insert(np.cumsum(events / at_risk), 0, 0.0)
    return steps[np.searchsorted(known, times, side="right")]


class HeldOut(NamedTuple):
    """The real rows that models are tested on, and how their censoring is allowed for.

    Attributes
    ----------
    followed : Followed
        Of the test rows.
    horizon : float
    times : ndarray of float, shape (times,)
        At which survival is forecast.
    weights, weights_of_times : ndarray of float, shapes (rows,) and (times,)
        1 / the probability of not being censored by the row's own time and by each of `times`.
    """

    followed: Followed
    horizon: float
    times: np.ndarray
    weights: np.ndarray
    weights_of_times: np.ndarray

    @classmethod
    def of(cls, target: TimeToEvent, train: pd.DataFrame, tested: pd.DataFrame) -> HeldOut:
        """Take the horizon and the censoring from real training rows."""
        followed, horizon = target.followed(tested), target.horizon_in(train)
        times = even_times(horizon)[1:]
        own, of_times = (censoring_weights(target.followed(train), at) for at in (followed.times, times))
        return cls(followed, horizon, times, own, of_times)


def even_times(horizon: float) -> np.ndarray:
    """Times from 0 to the horizon: they are nobody's own."""
    return np.linspace(0, horizon, TIMES + 1)


def censoring_weights(followed: Followed, at: np.ndarray) -> np.ndarray:
    """Inverse probability of not being censored by each of some times (torchsurv); 0 where all are."""
    import torch
    from torchsurv.stats.ipcw import get_ipcw

    events, times, wanted = (torch.from_numpy(np.ascontiguousarray(part)) for part in (*followed[::-1], at))
    return get_ipcw(events, times, wanted).numpy().astype("float64")


def train_and_test(
    train: pd.DataFrame,
    tested: pd.DataFrame,
    target: TimeToEvent,
    test: HeldOut,
    encoder: TableEncoder,
    design: Design,
    *,
    seed: int,
    models: Mapping[str, Risks] = MODELS,
    weights: np.ndarray | None = None,
) -> Iterator[Score]:
    """Train survival models on one table and test them on another.

    Parameters
    ----------
    train, tested : DataFrame
        Clean tables; `train` may be synthetic, `tested` is real.
    target : TimeToEvent
    test : HeldOut
        Of `tested`.
    encoder : TableEncoder
        Fitted on the real training partition; makes what trees learn from.
    design : Design
        The same of Cox's model.
    seed : int
        Seed of the models.
    models : dict of callable
        Name -> function that gives log risks.
    weights : ndarray, shape (replicates, test rows), optional
        Of the persons of `tested`; see `medsynth.evaluation.resampling`.

    Yields
    ------
    Score
        Those of `forecast_scores`, of the target and every model.
    """
    predictors, followed = target.predictors(tested), target.followed(train)
    for name, risks in models.items():
        if name == "cox":
            x, x_test = (design.matrix(table)[:, 1:] for table in (train, tested))
        else:
            x, x_test = (encoder.transform(table)[predictors].to_numpy() for table in (train, tested))
        for score in forecast_scores(forecast(risks, x, followed, x_test, test.times, seed), test, weights):
            yield score.of(target=target.name, model=name)


def forecast(
    risks: Risks, x: np.ndarray, followed: Followed, x_test: np.ndarray, times: np.ndarray, seed: int
) -> Forecast:
    """Let a model learn from rows and forecast the survival of others, with Breslow's baseline.

    A table without any event teaches that nobody ever has one.
    """
    if not followed.events.any():
        return Forecast(np.zeros(len(x_test)), np.ones((len(x_test), len(times))))
    # exp of more is no number of use; a hazard is then as good as none, or endless.
    learned, risk = (np.clip(part, -50, 50) for part in risks(x, followed, x_test, seed))
    hazard = breslow(learned, followed, times)
    return Forecast(risk, np.exp(-np.exp(risk)[:, None] * hazard))


def forecast_scores(forecast: Forecast, test: HeldOut, weights: np.ndarray | None = None) -> Iterator[Score]:
    """Score what a model forecasts of test rows.

    Parameters
    ----------
    forecast : Forecast
    test : HeldOut
    weights : ndarray, shape (replicates, rows), optional
        Replicates are the scores under these weights; the censoring weights stay.

    Yields
    ------
    Score
        ``uno_c``: of two rows of which one has the event first, before the horizon, how often it has the higher risk
        (Uno et al. 2011, Statistics in Medicine 30:1105-1117; in [0, 1], 0.5 is guessing). ``integrated_brier_score``:
        mean squared error of the forecast probabilities, averaged over time (Graf et al. 1999, Statistics in Medicine
        18:2529-2545; in [0, 1], lower is better). torchsurv's; NaN for a model that could not be fitted.
    """
    import torch
    from torchsurv.metrics.brier_score import BrierScore
    from torchsurv.metrics.cindex import ConcordanceIndex

    comparable = test.followed.events & (test.followed.times < test.horizon)
    if np.isnan(forecast.risk).any() or not comparable.any():
        yield from (Score(metric, np.nan) for metric in ("uno_c", "integrated_brier_score"))
        return
    times, events = (torch.from_numpy(np.ascontiguousarray(part)) for part in test.followed)
    risk, own = torch.from_numpy(forecast.risk), torch.from_numpy(test.weights)
    value = ConcordanceIndex(TIED)(risk, events, times, weight=own, tmax=torch.tensor(test.horizon))
    replicates = None if weights is None else weighted_concordance(forecast.risk, test, weights)
    least = least_variance(len(test.weights))
    yield Score("uno_c", float(value), replicates, least)
    brier = BrierScore()
    at, of_times = torch.from_numpy(test.times), torch.from_numpy(test.weights_of_times)
    brier(torch.from_numpy(forecast.survival), events, times, at, own, of_times)
    # Each row's own integral, whose mean is that of the scores.
    by_row = np.trapezoid(brier.residuals.numpy(), test.times, axis=1) / (test.times[-1] - test.times[0])
    replicates = None if weights is None else weighted_mean(by_row, weights)
    yield Score("integrated_brier_score", float(brier.integral()), replicates, least)


def weighted_concordance(risk: np.ndarray, test: HeldOut, weights: np.ndarray) -> np.ndarray:
    """Uno's C under each row of weights, which counts a pair as often as both of its rows: (replicates,)."""
    times, events = test.followed
    first = np.flatnonzero(events & (times < test.horizon))
    # Whoever is censored at the time of an event had none by then.
    later = (times > times[first, None]) | ((times == times[first, None]) & ~events)
    pairs = later * (test.weights[first, None] ** 2).astype("float32")
    difference = risk[first, None] - risk
    right = pairs * ((difference > TIED) + 0.5 * (np.abs(difference) <= TIED)).astype("float32")
    ours = weights.astype("float32")
    with np.errstate(invalid="ignore", divide="ignore"):
        agreeing, all_pairs = ((ours[:, first] @ part * ours).sum(axis=1, dtype="float64") for part in (right, pairs))
        return agreeing / all_pairs
