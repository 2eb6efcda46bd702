"""What a paper publishes, as a study lists it: numbers and claims, and the rule by which ours is judged.

The table is made by `medsynth.scores.published.table`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from medsynth.codebook import Strict
from medsynth.errors import nearest
from medsynth.evaluation.resampling import ABOUT, COUNTED
from medsynth.scores.registry import claimed_families

# What a score may be about, in words; what is counted instead, no claim names.
NAMED = tuple(name for name in ABOUT if name not in COUNTED)
# Stands for every value of a key of `about`.
EVERY = "*"


def _claimed(family: str) -> str:
    """Accept what a family of scores declares that claims may name."""
    if family not in claimed_families():
        raise ValueError(f"there is no family '{family}'{nearest(family, claimed_families())}")
    return family


Claimed = Annotated[str, AfterValidator(_claimed), Field(json_schema_extra={"enum": list(claimed_families())})]


def _of_scores(key: str) -> str:
    """Accept the columns of scores that say what a score is about."""
    if key not in NAMED:
        raise ValueError(f"scores are not about '{key}'{nearest(key, NAMED)}")
    return key


Key = Annotated[str, AfterValidator(_of_scores), Field(json_schema_extra={"enum": list(NAMED)})]


class Item(Strict):
    """One number or claim of a paper, where a run finds its own, and how the two are compared."""

    item: str = Field(description="what it is, in words")
    where: str = Field(description="place in the paper")
    published: float | None = Field(None, description="the number as published; none for a claim in words")
    rule: Literal["equals", "at_least", "at_most", "above", "below", "best_epochs", "among_top", "below_real"] = Field(
        "equals",
        description="'equals': within `margin` of the published number. 'at_least', 'at_most': our mean against the "
        "`limit`. 'above', 'below': the first generator against each of the others, paired over persons "
        "and seeds. 'best_epochs': `epochs` against every other count, in the same way. 'among_top': the "
        "column is ahead of all but `limit` - 1 of the others of its target. 'below_real': below the real "
        "training rows. All but 'equals' are claims. Claims agree or differ only where that is "
        "significant, with Holm's correction over the claims of the paper",
    )
    margin: float | None = Field(None, gt=0, description="for 'equals'")
    interval: tuple[float, float] | None = Field(None, description="the published interval, printed beside the number")
    minus: str | None = Field(None, description="a generator whose score is subtracted, seed by seed")
    limit: float | None = Field(None, description="for 'at_least', 'at_most' and 'among_top'")
    family: Claimed = Field(
        description="family of our score; 'data' for raw_rows, rows (used), train_rows, test_rows and columns"
    )
    metric: str = Field(description="metric of our score")
    about: dict[Key, str] = Field(
        {},
        description="what our score is about, by columns of scores.csv such as target, model, column and cohort. "
        "Columns left out are empty there. '{target}' is the study's main target, '*' the mean of all",
    )
    generators: list[str] = Field([], description="a row each; for 'above' and 'below' the first one and its rivals")
    epochs: int | None = Field(
        None, description="epoch count that the paper speaks of; default: the largest that was run"
    )
    scale: float = Field(1, description="our score is multiplied by it (100 for per cent)")
    depends_on: Literal["patients", "method"] = Field(
        "patients", description="what depends on the patients cannot be tested on simulated ones"
    )
    evidence: str = Field(
        pattern="^(tables|figures)/",
        description="table or figure of the run, such as tables/quality; '{generator}' is filled in",
    )
    remark: str = Field("", description="what a reader should know, such as a contradiction within the paper")
    headline: bool = Field(False, description="among the first verdicts of the summary page")

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_is_about(cls, given: Any) -> Any:
        if isinstance(given, dict) and "detail" in given:
            raise ValueError("the key 'detail' is now 'about', such as 'about: {model: xgboost, target: death}'")
        return given

    @model_validator(mode="after")
    def _has_what_its_rule_needs(self) -> Self:
        needs = {
            "equals": ("published", "margin"), "at_least": ("limit",), "at_most": ("limit",), "among_top": ("limit",),
            "best_epochs": ("epochs",),
        }.get(self.rule, ())  # fmt: skip
        for key in needs:
            if getattr(self, key) is None:
                raise ValueError(f"'{self.item}' has the rule '{self.rule}' and needs '{key}'")
        if self.rule in ("above", "below") and len(self.generators) < 2:
            raise ValueError(f"'{self.item}' has the rule '{self.rule}' and needs two or more 'generators'")
        return self

    @property
    def rule_in_words(self) -> str:
        """The rule as the table prints it."""
        return {
            "equals": f"within {self.margin:g}" if self.margin else "",
            "at_least": f"at least {self.limit:g}" if self.limit is not None else "",
            "at_most": f"at most {self.limit:g}" if self.limit is not None else "",
            "above": "difference above 0, paired over persons and seeds",
            "below": "difference below 0, paired over persons and seeds",
            "best_epochs": f"{self.epochs} epochs above every other count, paired over persons and seeds",
            "among_top": f"ahead of all but {self.limit - 1:g} of the others" if self.limit is not None else "",
            "below_real": "below that of the real training rows, paired over seeds",
        }[self.rule]


class Publication(Strict):
    """What a paper publishes, and on which data."""

    dataset: str = Field(description="the paper's own dataset; on another one orders and claims replicate or do not")
    rows: int = Field(ge=1, description="rows that it used; a run with less than half of them cannot test it")
    out_of_scope: list[str] = Field(
        [], description="what the paper says or wishes and this workflow does not test, and why"
    )
    items: list[Item] = Field(min_length=1, description="numbers and claims")
