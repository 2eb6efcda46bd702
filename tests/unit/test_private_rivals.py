"""Rivals under differential privacy: noisy columns, MST in an environment of its own, and how that is made."""

import math

import numpy as np
import pandas as pd
import pytest

from medsynth.codebook import Codebook
from medsynth.errors import InputError
from medsynth.generators import MST, PrivateColumns
from medsynth.generators.environments import STAMP, make_environment
from medsynth.generators.storage import FILE
from tests.conftest import ROOT

# Nearly every test trains a generator.
pytestmark = pytest.mark.slow


def codebook_of(columns):
    """Codebook of a table that is made up."""
    facts = {"name": "chain", "title": "Chain", "publisher": "nobody", "licence": "none", "columns": columns}
    return Codebook.model_validate({**facts, "raw": {"file": "chain.csv", "obtain": "make it up"}})


@pytest.fixture(scope="module")
def chain():
    """Draw 3,000 rows of a chain: `b` is mostly `a`, `c` is high where `b` is y, and `d` hangs on nothing."""
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 3000)
    b = np.where(rng.random(3000) < 0.9, a, rng.integers(0, 3, 3000))
    categories = np.array(["x", "y", "z"])
    numbers = np.where(b == 1, 80, 20) + rng.integers(0, 20, 3000)
    columns = {
        "a": {"type": "categorical", "categories": ["x", "y", "z", "never"]},
        "b": {"type": "categorical", "categories": ["x", "y", "z"]},
        "c": {"type": "integer", "range": [0, 120]},
        "d": {"type": "binary", "categories": ["no", "yes"]},
    }
    codebook = codebook_of(columns)
    d = rng.choice(["no", "yes"], 3000, p=[0.8, 0.2])
    table = pd.DataFrame({"a": categories[a], "b": categories[b], "c": numbers, "d": d})
    return codebook.conform(table), codebook


@pytest.fixture(scope="module")
def dpmm(monkeypatch_module):
    """The environment dpmm, made once in the checkout."""
    monkeypatch_module.chdir(ROOT)
    folder, lock = ROOT / ".environments/dpmm", ROOT / "envs/dpmm.txt"
    stamp = folder / STAMP
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != lock.read_text(encoding="utf-8"):
        try:
            make_environment(folder, lock)
        except InputError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="module")
def monkeypatch_module():
    """A monkeypatch that lasts for the file."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def mst(chain, dpmm):
    """MST of the chain under a loose budget."""
    return MST(epsilon=4.0, iterations=100, seeded_noise=True).fit(*chain, seed=1)


def agreement(table):
    """Share of rows in which a and b are the same; mean of c where b is y, and elsewhere."""
    same, y = table["a"].astype(str) == table["b"].astype(str), table["b"] == "y"
    return same.mean(), table.loc[y, "c"].mean(), table.loc[~y, "c"].mean()


def test_noisy_columns_are_as_they_were_and_hang_on_nothing(chain):
    table, codebook = chain
    drawn = PrivateColumns(epsilon=4.0, seeded_noise=True).fit(table, codebook, seed=1).sample(20_000, seed=1)
    for name in "abd":
        shares = table[name].value_counts(normalize=True)
        assert (drawn[name].value_counts(normalize=True) - shares).abs().max() < 0.02
    assert abs(drawn["c"].mean() - table["c"].mean()) < 1
    same, in_y, elsewhere = agreement(drawn)
    assert same == pytest.approx(1 / 3, abs=0.02) and abs(in_y - elsewhere) < 1


def test_a_tight_budget_moves_the_columns(chain):
    table, codebook = chain
    drawn = PrivateColumns(epsilon=0.01, seeded_noise=True).fit(table, codebook, seed=1).sample(20_000, seed=1)
    shares = [rows["d"].value_counts(normalize=True)["yes"] for rows in (table, drawn)]
    assert abs(shares[0] - shares[1]) > 0.05


def test_mst_keeps_pairs_that_hang_together(chain, mst):
    table, _ = chain
    same, in_y, elsewhere = agreement(mst.sample(20_000, seed=1))
    assert same == pytest.approx(agreement(table)[0], abs=0.03)
    assert in_y - elsewhere > 40
    pairs = {frozenset((name, *parents)) for name, parents in mst.card()["parents"].items() if parents}
    assert {frozenset("ab"), frozenset("bc")} <= pairs


def test_mst_spends_no_more_than_its_budget(mst):
    from dp_accounting import ZCDpEvent
    from dp_accounting.rdp import RdpAccountant

    spent = mst.privacy_["rho"] + 0.5 / mst.privacy_["histogram_noise"] ** 2
    orders = [1 + x / 20 for x in range(1, 400)]
    epsilon = RdpAccountant(orders).compose(ZCDpEvent(spent)).get_epsilon(mst.privacy_["delta"])
    # The best of these orders is a little worse than the best of all: no more than that is spent.
    assert 4 - 1e-6 < epsilon < 1.01 * 4


@pytest.mark.parametrize("seeded", [False, True])
def test_mst_has_the_noise_of_its_budget(dpmm, seeded):
    # Of a column alone, what is drawn by are its noisy counts, for which a third of the budget is spent.
    categories = [f"category {i}" for i in range(60)]
    codebook = codebook_of({"a": {"type": "categorical", "categories": categories}})
    table = codebook.conform(pd.DataFrame({"a": np.repeat(categories, 100)}))
    model = MST(epsilon=1.0, iterations=300, seeded_noise=seeded).fit(table, codebook, seed=1)
    (factor,) = model.factors_
    assert (factor.weights - 100).std() == pytest.approx(math.sqrt(1.5 / model.privacy_["rho"]), rel=0.3)


@pytest.mark.parametrize("kind", [PrivateColumns, MST])
def test_by_default_the_same_seed_gives_other_counts(chain, kind, dpmm):
    quick = {"iterations": 20} if kind is MST else {}
    first, second = (kind(epsilon=4.0, **quick).fit(*chain, seed=1) for _ in range(2))
    weights = [sorted(factor.weights.ravel().tolist() for factor in model.factors_) for model in (first, second)]
    assert weights[0] != weights[1]


def test_mst_under_replacement_spends_four_times_its_rho(mst):
    rho, delta = mst.privacy_["rho"] + 0.5 / mst.privacy_["histogram_noise"] ** 2, mst.privacy_["delta"]
    # The usual conversion of zCDP is an upper bound, and a looser one (Bun and Steinke 2016, proposition 1.3).
    loose = 4 * rho + 2 * math.sqrt(4 * rho * math.log(1 / delta))
    assert 2 * 4.0 < mst.card()["epsilon_under_replacement"] < loose


def test_mst_is_the_same_bytes_with_the_same_seed_and_seeded_noise(chain, mst, tmp_path):
    again = MST(epsilon=4.0, iterations=100, seeded_noise=True).fit(*chain, seed=1)
    for name, model in (("a", mst), ("b", again)):
        model.save(tmp_path / name)
    assert (tmp_path / "a" / FILE).read_bytes() == (tmp_path / "b" / FILE).read_bytes()
    pd.testing.assert_frame_equal(MST.load(tmp_path / "a").sample(50, seed=3), mst.sample(50, seed=3))
    assert not mst.sample(50, seed=3).equals(mst.sample(50, seed=4))


def test_mst_without_its_environment_says_how_to_make_it(chain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"\.environments/dpmm is not there or not complete; make it: snakemake"):
        MST().fit(*chain)


def test_an_environment_that_cannot_be_made_is_one_sentence_and_leaves_nothing(tmp_path):
    lock = tmp_path / "some.txt"
    lock.write_text("--no-index\nno-such-package==1.0\n")
    with pytest.raises(InputError, match=r"cannot be made \(.*No matching distribution.*some.txt needs"):
        make_environment(tmp_path / "some", lock)
    assert not (tmp_path / "some").exists()


@pytest.mark.parametrize("kind", [PrivateColumns, MST])
def test_several_rows_a_person_and_a_budget_of_nothing_are_refused(chain, kind, dpmm):
    table, codebook = chain
    with pytest.raises(InputError, match="up to 3 rows in chain, but the guarantee is for one row"):
        kind().fit(table, codebook.model_copy(update={"rows_per_person": 3}))
    with pytest.raises(InputError, match="'epsilon' is 0 and must be"):
        kind(epsilon=0).fit(table, codebook)


@pytest.mark.parametrize("rival", [PrivateColumns, MST])
def test_a_rival_without_a_budget_is_refused(chain, rival):
    with pytest.raises(InputError, match=f"{rival.__name__} has no version without a guarantee; set 'epsilon'"):
        rival(epsilon=None).fit(*chain)
