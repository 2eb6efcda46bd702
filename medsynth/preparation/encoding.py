"""Encoding of clean tables into numbers for classifiers, fitted on the training partition."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd


class TableEncoder:
    """Number the categories of coded columns, as the Med-VAE paper does (its supplement, "ordinal values").

    Trees can single out any category by a few splits, so nothing is lost against dummy columns and the matrix stays
    narrow.

    Attributes
    ----------
    categories_ : dict of list
        Categories seen in the training partition, per coded column; any other category becomes -1.
    """

    def fit(self, train: pd.DataFrame) -> Self:
        """Learn the categories that occur in the training partition."""
        self.categories_ = {
            name: list(train[name].cat.categories[train[name].cat.categories.isin(train[name].unique())])
            for name in train.columns
            if isinstance(train[name].dtype, pd.CategoricalDtype)
        }
        self.columns_ = list(train.columns)
        return self

    def transform(self, table: pd.DataFrame) -> pd.DataFrame:
        """Encode a table: float32, one column a column, -1 for a category that training rows never show."""
        encoded = {}
        for name in self.columns_:
            if name in self.categories_:
                encoded[name] = pd.Categorical(table[name], categories=self.categories_[name]).codes
            else:
                encoded[name] = table[name].to_numpy()
        return pd.DataFrame(encoded).astype(np.float32)

    def unseen(self, table: pd.DataFrame) -> dict[str, dict[str, int]]:
        """Count the cells whose category training rows never show: column -> category -> cells."""
        found = {}
        for name, categories in self.categories_.items():
            counts = table[name][~table[name].isin(categories)].value_counts()
            if counts.sum():
                found[name] = {str(category): int(n) for category, n in counts.items() if n}
        return found
