"""Whether a column identifies: a record, a person, or a thing that has a code."""

from __future__ import annotations

import re

import pandas as pd

# Words of headers.
_IDENTIFYING = {
    "id", "ids", "mrn", "pid", "ssn", "nhs", "uuid", "guid", "nr", "no", "nbr", "num", "number", "key", "subject",
    "patient", "pat", "person", "participant", "record", "case", "encounter", "visit", "hadm", "admission", "episode",
    "chi", "fallnummer", "patnr", "studyid", "acc", "accession", "specimen", "sample", "barcode", "serial", "hash",
    "patientid", "subjectid", "personid", "recordid", "caseid", "rownames", "index", "subjid", "usubjid",
}  # fmt: skip
_OF_PERSONS = {
    "patient", "pat", "subject", "person", "participant", "pid", "mrn", "mrd", "ssn", "nhs", "chi", "patnr", "subjid",
    "usubjid", "patientid", "subjectid", "personid", "record", "recordid", "member", "client", "case",
}  # fmt: skip
_NAMING = {
    "name", "names", "surname", "firstname", "lastname", "forename", "fullname", "email", "mail", "phone", "telephone",
    "mobile", "fax", "address", "street", "vorname", "nachname", "familienname", "geburtsname", "telefon", "strasse",
    "straße", "adresse", "anschrift", "nom", "prenom", "prénom", "nombre", "apellido", "apellidos", "cognome", "nome",
    "achternaam", "voornaam", "efternamn", "fornavn", "etternavn",
}  # fmt: skip
# Words that leave a header of names one.
_WHOSE = {
    "patient", "patients", "first", "last", "full", "middle", "maiden", "given", "family", "birth", "mother", "mothers",
    "father", "fathers", "partner", "spouse", "contact", "home", "emergency", "number", "no", "nr",
}  # fmt: skip
_CODING = {
    "zip", "zipcode", "postcode", "postal", "plz", "icd", "icd9", "icd10", "icd9cm", "icd10cm", "dx", "diag",
    "diagnosis", "atc", "cpt", "loinc", "snomed", "code", "codes", "drg", "ndc", "ops", "procedure", "proc", "county",
    "fips", "gp", "ward", "unit", "region", "hospital", "site", "centre", "center", "ethnicity", "specialty", "drug",
}  # fmt: skip
_DIGITS_THAT_CODE = {
    "zip", "zipcode", "postcode", "postal", "plz", "icd", "icd9", "icd10", "icd9cm", "icd10cm", "dx", "diag", "atc",
    "diagnosis", "cpt", "loinc", "snomed", "code", "codes", "drg", "ndc", "fips",
}  # fmt: skip
_QUANTITIES = {"days", "day", "years", "year", "age", "time", "count", "n", "since", "duration", "dose", "months", "to"}
_FORM = re.compile(r"[A-Za-z0-9][\w\-./:#+@|{}]*")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_HASH = re.compile(r"(?=.*\d)([0-9a-f]{10,}|[0-9A-F]{10,}|[A-Za-z0-9+/_-]{20,}=*)")
_UUID = re.compile(r"\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?")

# Digits that a float holds; a longer whole number counts nothing.
MOST_DIGITS = 15


def words_of(header: str) -> set[str]:
    """Words of a header, in lower case: ``"MRD No."`` has mrd and no, ``"SubjectID"`` subject and id."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", header)
    words = re.split(r"[^\w]+|_", spaced.lower())
    return {part for word in words for part in (word, word.rstrip("0123456789")) if part}


def names_a_code(header: str) -> bool:
    """Whether a header says that its cells are codes of things (places, diagnoses), which many persons share."""
    return bool(words_of(header) & _CODING)


def must_be_codes(header: str) -> bool:
    """Whether a header says that digits below it are codes, and no quantity of them (days since a diagnosis)."""
    words = words_of(header)
    return bool(words & _DIGITS_THAT_CODE) and not words & _QUANTITIES


def names_a_person(header: str) -> bool:
    """Whether a header says that its cells identify persons."""
    return bool(words_of(header) & _OF_PERSONS)


def _names_persons_alone(header: str) -> bool:
    """Whether a header has words for persons and identifiers alone: "MRD No.", but not "patient weight"."""
    whole = {word for word in words_of(header) if not word.isdigit()}
    return bool(whole & _OF_PERSONS) and whole <= _OF_PERSONS | _IDENTIFYING


def names_people(header: str, values: int) -> bool:
    """Whether a header has words for names and addresses alone: "last_name", but not "ward name"; and no two flags."""
    words = {word for word in words_of(header) if not word.isdigit()}
    return bool(words & _NAMING) and words <= _NAMING | _WHOSE and values > 2


def is_row_number(values: pd.Series) -> bool:
    """Whether the cells count the rows, from 0 or 1."""
    if not len(values) or values.iloc[0] not in ("0", "1"):
        return False
    first = int(values.iloc[0])
    return values.tolist() == [str(n) for n in range(first, first + len(values))]


def identifies(header: str, counts: pd.Series, n_rows: int, *, whole: bool, fractions: bool) -> str:
    """Say why a column's cells identify; empty if they do not.

    Parameters
    ----------
    header : str
    counts : Series
        Distinct cells -> how often each is seen, without codes for missing.
    n_rows : int
    whole : bool
        All cells are whole numbers, plainly written.
    fractions : bool
        All cells are numbers, some with decimals.
    """
    n_distinct, most, mean = len(counts), int(counts.max()), counts.mean()
    hinted = bool(words_of(header) & (_IDENTIFYING | _OF_PERSONS)) and not names_a_code(header)
    unique = most == 1 and n_distinct > 0.9 * n_rows and n_rows >= 10
    cells = counts.index
    if words_of(header) & _NAMING and not whole and not fractions and n_distinct > max(20, 0.05 * n_rows):
        return "by its name it holds names or addresses"
    for what, form in (("addresses of mail", _MAIL), ("UUIDs", _UUID)):
        if sum(bool(form.fullmatch(cell)) for cell in cells) > 0.9 * n_distinct:
            return what
    if not fractions and n_distinct > 10 and _names_persons_alone(header):
        return "by its name it is a person's"
    lengths = pd.Series([len(cell) for cell in cells])
    if whole:
        long = int((lengths > MOST_DIGITS).sum())
        if long > 0.5 * n_distinct:
            return f"whole numbers of more than {MOST_DIGITS} digits"
        if unique and (hinted or _dense(cells) or (lengths.nunique() == 1 and lengths.iloc[0] >= 5)):
            return "every value is its own"
        spread = hinted and n_distinct > max(20, 0.2 * n_rows) and lengths.max() >= 3
        if spread and most <= max(12, 8 * mean) and not (mean > 2 and lengths.max() < 4):
            return "by its name and its many values"
        return ""
    if fractions:
        return ""
    formed = sum(bool(_FORM.fullmatch(cell)) and any(c.isdigit() for c in cell) for cell in cells) > 0.9 * n_distinct
    if unique and (formed or hinted or lengths.mean() < 25) and not names_a_code(header):
        return "every value is its own"
    if n_distinct > max(20, 0.1 * n_rows) and sum(bool(_HASH.fullmatch(cell)) for cell in cells) > 0.95 * n_distinct:
        return "hashes"
    digits = sum(sum(c.isdigit() for c in cell) for cell in cells[:500]) / min(n_distinct, 500)
    shapes = len({re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "9", cell)) for cell in cells})
    if names_a_code(header) or not formed or n_distinct <= max(20, 0.1 * n_rows) or most > max(12, 8 * mean):
        return ""
    if hinted or (n_distinct > 0.2 * n_rows and digits >= 4 and shapes <= max(5, 0.05 * n_distinct)):
        return "many values of one form, each in a few rows"
    return ""


def _dense(cells: pd.Index) -> bool:
    """Whether whole numbers, each seen once, leave hardly a gap, as running numbers do."""
    numbers = [int(cell) for cell in cells]
    return max(numbers) - min(numbers) < 1.2 * len(numbers)
