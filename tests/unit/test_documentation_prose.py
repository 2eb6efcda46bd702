"""README and docs: short enough to be read, their links lead somewhere, README's numbers are those of the tables."""

import importlib.util
import posixpath
import re

import pytest

from medsynth.plan import documentation
from medsynth.scores import registry
from tests.conftest import ROOT

spec = importlib.util.spec_from_file_location("words", ROOT / "docs/words.py")
words = importlib.util.module_from_spec(spec)
spec.loader.exec_module(words)

README = (ROOT / "README.md").read_text(encoding="utf-8")
TABLES = ROOT / "results/reference/diabetes130/file-laptop/tables"


def name(file):
    return str(file.relative_to(ROOT))


# The script


def test_words_of_code_are_not_counted():
    assert words.count("One two.\n\n```\nthree four\n```\n").words == 2


def test_a_sentence_ends_at_a_full_stop_a_paragraph_and_a_line_of_a_list():
    found = words.count("One two. Three four\nfive six.\n\n- Seven eight\n- Nine ten eleven\n\n| a | table |\n")
    assert sorted(map(words.length, found.sentences)) == [2, 2, 3, 4]


def test_a_number_with_a_point_does_not_end_a_sentence():
    assert len(words.count("A quality of 0.85 is not high, e.g. here.\n").sentences) == 1


def test_the_mean_and_the_longest_are_over_sentences():
    found = words.count("One two. One two three four.")
    assert (found.mean, found.longest) == (3, 4)


# What we hold to


def test_readme_is_short():
    found = words.count(README)
    assert found.lines <= 120
    assert found.words <= 1300


@pytest.mark.parametrize("page", words.files(), ids=name)
def test_sentences_are_short(page):
    found = words.count(page.read_text(encoding="utf-8"))
    assert found.mean < 16
    assert found.longest <= 30, found.sentences[0]


# A caption has one sentence each for what is shown, what the reference is, and what the interval covers. A fourth says
# which cells are withheld, or what the paper's verdicts leave out.
CAPTION_SENTENCES = 4


def captions():
    """Every caption of the library and of the report, by the name of what it is of; templates' own words alone."""
    declared = {f"table {name}": table.caption for name, table in registry.tables().items()}
    drawn = {f"figure {kind}": figure.caption for kind, figure in registry.figures().items()}
    files = {str(f.relative_to(ROOT)): f.read_text(encoding="utf-8") for f in (ROOT / "workflow/report").glob("*.rst")}
    filled = {name: text.format(out_of_scope="nothing", least=10) for name, text in declared.items()}
    return filled | drawn | {name: JINJA.sub("", text) for name, text in files.items()}


JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|`[^`]*`__", flags=re.DOTALL)
CAPTIONS = captions()


@pytest.mark.parametrize("of", CAPTIONS)
def test_sentences_of_captions_are_short(of):
    found = words.count(CAPTIONS[of])
    assert found.mean < 16, found.sentences
    assert found.longest <= 30, found.sentences[0]


@pytest.mark.parametrize("of", [name for name in CAPTIONS if name != "workflow/report/workflow.rst"])
def test_captions_are_three_sentences_or_four(of):
    assert len(words.count(CAPTIONS[of]).sentences) <= CAPTION_SENTENCES


def test_captions_of_all_families_and_of_the_report_are_held():
    assert {"table quality", "figure privacy_trade", "workflow/report/table.rst"} <= set(CAPTIONS)


DESCRIPTIONS = {
    f"{file} {section} {key}": field.description
    for file, sections in documentation.SECTIONS.items()
    for section, model in sections
    for key, field in model.model_fields.items()
    if field.description
}


def test_descriptions_of_keys_are_short():
    found = words.count("\n\n".join(DESCRIPTIONS.values()).replace(". ", ".\n\n"))
    assert len(DESCRIPTIONS) > 100
    assert found.mean < 16
    assert found.longest <= 30, found.sentences[0]


RETIRED = re.compile(
    r"false alarms|drawn alone|share of (the )?lift|attribute risk|ceiling|deliverable|\bdials?\b|least[_ ]patients"
    r"|nobody saw|detector's AUC|hardest for a detector|independent columns",
    flags=re.IGNORECASE,
)


@pytest.mark.parametrize("page", [page for page in words.files() if page.name != "CHANGELOG.md"], ids=name)
def test_a_thing_has_the_fields_name(page):
    assert RETIRED.findall(page.read_text(encoding="utf-8")) == []


# Links


@pytest.mark.parametrize("page", words.files(), ids=name)
def test_relative_links_lead_to_files(page):
    links = re.findall(
        r"\]\((?!https?:)([^)#:\s]+)[^)]*\)|include-markdown \"([^\"]+)\"", page.read_text(encoding="utf-8")
    )
    folder = page.parent.relative_to(ROOT).as_posix()
    paths = [posixpath.normpath(posixpath.join(folder, one or other)) for one, other in links]
    assert [path for path in paths if not (ROOT / path).exists()] == []


# Numbers
