"""Reading raw files: how they are written is recognised, kept in the codebook, and read by."""

import csv
import gzip
import io
import zipfile

import pandas as pd
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from medsynth.codebook import Codebook
from medsynth.data.reading import read_raw, read_table, recognise
from medsynth.drafting import draft_codebook
from medsynth.errors import InputError


def rows(n=60):
    """A small ward: header, and rows of text."""
    body = [
        [str(20 + i % 70), ("female", "male")[i % 2], f"{1 + (i * 37 % 100) / 100:.2f}", ("yes", "no")[i % 3 == 0]]
        for i in range(n)
    ]
    return [["age", "sex", "crea", "died"], *body]


def text(table, delimiter=",", end="\n", quoting=csv.QUOTE_MINIMAL):
    """Write rows as csv."""
    stream = io.StringIO()
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(table)
    return stream.getvalue()


def written(folder, content, name="ward.csv", encoding="utf-8"):
    """Put text or bytes into a file."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def same(path, expected):
    """Whether a file is recognised as these rows, and read so by its codebook."""
    found = recognise(path)
    assert list(found.table) == expected[0]
    assert found.table.to_numpy().tolist() == expected[1:]
    codebook = drafted(path)
    again = read_table(path, codebook)
    assert again.to_numpy().tolist() == expected[1:]
    return found


def drafted(path, **options):
    """The draft as a codebook."""
    return Codebook.model_validate(yaml.safe_load(draft_codebook(path, **options)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_and_line_ends(tmp_path, delimiter, end):
    path = written(tmp_path, text(rows(), delimiter, end))
    assert same(path, rows()).written.delimiter == delimiter


@pytest.mark.parametrize(
    ("encoding", "recognised"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
     ("latin-1", "cp1252"), ("cp1252", "cp1252")],
)  # fmt: skip
def test_encodings(tmp_path, encoding, recognised):
    table = [[*row, ("ward", "Gynäkologie", "Größe")[min(i, 2)]] for i, row in enumerate(rows())]
    path = written(tmp_path, text(table), encoding=encoding)
    assert same(path, table).written.encoding == recognised


def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path):
    content = text(rows(5)).encode() + "30,männlich,1.0,yes\n".encode("latin-1") + "31,männlich,1.0,no\n".encode()
    with pytest.raises(InputError, match=r"two encodings.*line 7"):
        recognise(written(tmp_path, content))


def test_a_delimiter_behind_every_row_shifts_nothing(tmp_path):
    content = text(rows()).replace("\n", ",\n").replace("died,\n", "died\n", 1)
    found = same(written(tmp_path, content), rows())
    assert found.written.surplus_fields == 1
    assert any("More delimiters than the header: 60 rows" in note for note in found.notes)


def test_text_behind_the_last_column_is_refused_with_its_line_and_without_its_text(tmp_path):
    content = text(rows()).replace("\n", ",\n").replace("died,\n", "died\n", 1).splitlines()
    content[16] += "Mrs Smith"
    with pytest.raises(InputError, match="line 17") as refusal:
        recognise(written(tmp_path, "\n".join(content)))
    assert "Smith" not in str(refusal.value)


def test_text_that_comes_later_behind_the_last_column_is_refused_when_it_is_read(tmp_path):
    content = text(rows()).replace("\n", ",\n").replace("died,\n", "died\n", 1)
    path = written(tmp_path, content)
    codebook = drafted(path)
    path.write_text(content + "30,male,1.0,yes,late\n")
    with pytest.raises(InputError, match="line 62 has text behind the last column"):
        read_raw(path, codebook)


def test_blanks_after_delimiters_are_no_part_of_fields(tmp_path):
    content = "age, sex, ward, died\n" + "".join(f'{i}, male, "x, A", {"yes" if i % 2 else "no"}\n' for i in range(40))
    found = recognise(written(tmp_path, content))
    assert list(found.table) == ["age", "sex", "ward", "died"] and set(found.table["ward"]) == {"x, A"}


def test_backslashes_before_quotes(tmp_path):
    cells = "".join(f'{i},"said \\"fine, thanks\\" today",no\n{i},"none",yes\n' for i in range(40))
    found = recognise(written(tmp_path, "age,note,died\n" + cells))
    assert set(found.table["note"]) == {'said "fine, thanks" today', "none"}


def test_backslashes_that_stand_for_themselves(tmp_path):
    table = [["path", "n"], *[[f"C:\\data\\{i}", str(i)] for i in range(30)]]
    assert recognise(written(tmp_path, text(table, quoting=csv.QUOTE_ALL))).table["path"][3] == "C:\\data\\3"


def test_the_first_header_may_be_empty_and_rows_may_be_numbered(tmp_path):
    table = [["", *rows()[0]], *[[str(i), *row] for i, row in enumerate(rows()[1:])]]
    path = written(tmp_path, text(table))
    draft = draft_codebook(path)
    column = yaml.safe_load(draft)["columns"]["column_1"]
    assert column["raw"] == "(column 1)" and column["drop"] == "it numbers the rows"
    assert "# - column_1: left out, it numbers the rows." in draft


def test_rows_with_an_index_that_the_header_lacks(tmp_path):
    content = text([rows()[0], *[[str(i), *row] for i, row in enumerate(rows()[1:], 1)]])
    found = recognise(written(tmp_path, content))
    assert found.unnamed_index and found.table["age"].tolist() == [row[0] for row in rows()[1:]]


def test_two_headers_of_one_name_are_told_apart(tmp_path):
    table = [[*rows()[0], "age"], *[[*row, "7"] for row in rows()[1:]]]
    found = recognise(written(tmp_path, text(table)))
    assert list(found.table)[-1] == "age (column 5)" and set(found.table["age (column 5)"]) == {"7"}
    assert any("age (column 5)" in note for note in found.notes)


def test_headers_that_differ_in_case_alone_keep_their_own_values(tmp_path):
    table = [
        ["SBP", "sbp", "died"],
        *[[str(100 + i * 7 % 31), str(i * 3 % 17), ("no", "yes")[i % 2]] for i in range(60)],
    ]
    path = written(tmp_path, text(table))
    codebook = drafted(path)
    raw = read_raw(path, codebook)
    assert raw["sbp"][3] == "121" and raw["sbp_2"][3] == "9"


def test_line_breaks_in_headers_and_cells(tmp_path):
    table = [["age", "systolic\n(mmHg)", "note"], *[[str(i), str(90 + i), f"a\r\nb{i % 2}"] for i in range(40)]]
    path = written(tmp_path, text(table))
    same(path, table)
    assert read_raw(path, drafted(path))["systolic_mmhg"][2] == "92"


def test_cells_larger_than_what_is_read_at_once(tmp_path):
    table = [["age", "note"], *[[str(i), "line\n" + "x" * 100_000] for i in range(20)]]
    assert recognise(written(tmp_path, text(table))).table["note"].str.len().eq(100_005).all()


@pytest.mark.parametrize("character", ["\0", "\x7f", "\x85", "\x92", "\u2028", "\u200b", "\U0001f600", "\t"])
def test_control_characters_in_categories_are_read_back_the_same(tmp_path, character):
    category = f"a{character}b"
    table = [["age", "dx"], *[[str(i), (category, "c", "d")[i % 3]] for i in range(60)]]
    path = written(tmp_path, text(table))
    assert category in drafted(path).columns["dx"].categories


def test_titles_comments_and_footers_are_left_out_and_said(tmp_path):
    content = f"Export of 2024\n\n{text(rows())}Total,60,,\nPrinted by nobody\n"
    found = same(written(tmp_path, content), rows())
    assert found.written.skipped_rows == 1 and found.written.footer_rows == 2
    assert len(found.notes) == 2
    lines = text(rows()).splitlines(keepends=True)
    commented = (
        "# made by a program\n# version 2\n" + "".join(lines[:20]) + "# half, as they say\n" + "".join(lines[20:])
    )
    assert same(written(tmp_path, commented), rows()).written.comment == "#"


def test_labels_and_units_below_the_header_describe_columns(tmp_path):
    table = [rows()[0], ["How old?", "What sex?", "Creatinine?", "Died?"], ["years", "", "mg/dL", ""], *rows()[1:]]
    path = written(tmp_path, text(table))
    found = recognise(path)
    assert found.written.header_rows == 3 and len(found.table) == 60
    assert drafted(path).columns["crea"].description == "Creatinine? mg/dL"


def test_labels_below_the_header_of_a_table_without_numbers(tmp_path):
    body = [[("f", "m")[i % 2], ("A", "B", "C")[i % 3], ("yes", "no")[i % 5 == 0]] for i in range(60)]
    table = [["sex", "ward", "died"], ["What sex?", "Which ward?", "Died?"], *body]
    found = recognise(written(tmp_path, text(table)))
    assert len(found.table) == 60 and found.labels["ward"] == "Which ward?"
    assert len(recognise(written(tmp_path, text([table[0], *body]))).table) == 60


def test_a_slip_in_the_first_row_is_no_header(tmp_path):
    table = rows()
    table[1][2] = "see note"
    assert len(recognise(written(tmp_path, text(table))).table) == 60


def test_a_file_without_headers(tmp_path):
    found = recognise(written(tmp_path, text(rows()[1:])))
    assert list(found.table) == ["(column 1)", "(column 2)", "(column 3)", "(column 4)"] and len(found.table) == 60
    assert any("no row of headers" in note for note in found.notes)


def test_short_rows_are_filled_and_said(tmp_path):
    content = text(rows()) + "33,male\n" + "34,female,1.00,no\n"
    found = recognise(written(tmp_path, content))
    assert found.table.iloc[60].tolist() == ["33", "male", "", ""]
    assert any("line 62" in note for note in found.notes)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('age,sex\n1,"male, tall\n2,female\n3,male\n4,male\n', "line 2 has 3 fields, but the header has 2"),
        ('age,sex\n1,"male"s\n2,"fem,ale"\n3,"m"\n', "line 3 has 3 fields, but the header has 2"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("age,sex\n", "no rows"),
        ("<html><table></table></html>", "web page"),
        ("%PDF-1.4", "PDF"),
        (b"Rar!\x1a\x07", "rar archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "cannot be read as a workbook"),
        (b"PAR1 nothing", "cannot be read as parquet"),
        (b"$FL2 nothing", "cannot be read as a file of SPSS"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, content, sentence):
    with pytest.raises(InputError, match=sentence):
        recognise(written(tmp_path, content))


def zipped(folder, members):
    """A zip of some files."""
    path = folder / "ward.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_what_other_systems_leave_in_a_zip_is_no_table(tmp_path):
    members = {"ward/ward.csv": text(rows()), "__MACOSX/ward/._ward.csv": "x", "ward/.DS_Store": "x", "Thumbs.db": "x"}
    found = same(zipped(tmp_path, members), rows())
    assert found.member == "ward/ward.csv"


def test_a_zip_of_several_tables_needs_a_name(tmp_path):
    path = zipped(tmp_path, {"a.csv": text(rows()), "b.csv": text(rows(20))})
    with pytest.raises(InputError, match=r"not one table; known: a\.csv, b\.csv"):
        recognise(path)
    assert len(recognise(path, member="b.csv").table) == 20


def test_an_encrypted_zip_is_refused(tmp_path):
    path = zipped(tmp_path, {"ward.csv": text(rows())})
    content = bytearray(path.read_bytes())
    # The flag of encryption, in the header of the file and in the directory.
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="is encrypted"):
        recognise(path)


def test_gz_and_one_that_is_cut_off(tmp_path):
    packed = gzip.compress(text(rows()).encode())
    same(written(tmp_path, packed, "ward.csv.gz"), rows())
    with pytest.raises(InputError, match="damaged"):
        recognise(written(tmp_path, packed[:-20], "cut.csv.gz"))


@pytest.mark.parametrize("name", ["ward.xlsx", "ward.ods"])
def test_workbooks(tmp_path, name):
    table = pd.DataFrame(
        {"age": [30 + i for i in range(40)], "crea": [1 + i / 100 for i in range(40)], "sex": ["f", "m"] * 20}
    )
    table["seen"] = pd.Timestamp("2020-03-01") + pd.to_timedelta(range(40), unit="D")
    path = tmp_path / name
    with pd.ExcelWriter(path) as book:
        table.to_excel(book, sheet_name="data", index=False, startrow=2)
        pd.DataFrame({"a": ["made by nobody"]}).to_excel(book, sheet_name="notes", index=False)
    found = recognise(path)
    assert found.table["age"].tolist() == [str(30 + i) for i in range(40)]
    assert found.table["crea"][1] == "1.01" and found.table["seen"][0] == "2020-03-01"
    assert found.written.kind == "excel" and found.written.sheet == "data"
    codebook = drafted(path)
    assert read_table(path, codebook).equals(found.table)


def test_an_encrypted_workbook_is_refused(tmp_path):
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500
    with pytest.raises(InputError, match="is encrypted"):
        recognise(written(tmp_path, content, "ward.xlsx"))


def test_parquet(tmp_path):
    table = pd.DataFrame({"age": pd.array([30, None, 50] * 10, "Int64"), "x": [0.1, 1e-7, 2.0] * 10})
    table["sex"] = pd.Categorical(["f", "m", None] * 10)
    table["low"] = table["x"].astype("float32")
    table.to_parquet(tmp_path / "ward.parquet")
    found = recognise(tmp_path / "ward.parquet").table
    assert found.iloc[:3].to_numpy().tolist() == [
        ["30", "0.1", "f", "0.1"], ["", "1e-07", "m", "1e-07"], ["50", "2", "", "2"],
    ]  # fmt: skip


cells = st.one_of(
    st.integers(0, 99).map(str),
    st.sampled_from(["female", "male", "", "x, A", 'said "so"', "a;b", "Größe", "two\nlines", "1|2", "O'Brien", "#1"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=("Cs", "Cc")), max_size=8),
)


@st.composite
def tables(draw):
    """Rows of text: a column of numbers, one of dates, and some of anything."""
    width, n = draw(st.integers(1, 4)), draw(st.integers(12, 30))
    body = [
        [str(i * 7 % 90), f"2020-03-{1 + i % 28:02d}", *(draw(cells).strip() for _ in range(width))] for i in range(n)
    ]
    return [["age", "seen", *(f"c{i}" for i in range(width))], *body]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    table=tables(),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_tables_in_any_dialect_are_read_back_equal(tmp_path_factory, table, delimiter, end, quoting, encoding):
    # The csv module quotes a line break only if lines end so.
    content = text(table, delimiter, end, csv.QUOTE_ALL if end == "\r" else quoting)
    # Lines of a cell take the file's line ends on the way through csv.
    assume("\r" not in "".join(cell for row in table for cell in row))
    path = written(tmp_path_factory.mktemp("dialect"), content, encoding=encoding)
    found = recognise(path)
    stripped = [[cell.strip() for cell in row] for row in table]
    assert [list(found.table), *found.table.to_numpy().tolist()] == stripped
    codebook = Codebook.model_validate(
        {
            **dict.fromkeys(("name", "title", "publisher", "licence"), "x"),
            "raw": {"file": path.name, "obtain": "x", "format": found.written.model_dump()},
            "columns": {f"c_{i}": {"raw": name, "type": "identifier"} for i, name in enumerate(found.table)},
        }
    )
    assert read_table(path, codebook).equals(found.table)


def test_what_r_writes_without_being_asked(tmp_path):
    body = "".join(f'"{i}" {row[0]} "{row[1]}" {row[2]} "{row[3]}"\n' for i, row in enumerate(rows()[1:], 1))
    found = recognise(written(tmp_path, '"age" "sex" "crea" "died"\n' + body))
    assert found.unnamed_index and found.table.to_numpy().tolist() == rows()[1:]


def test_columns_that_blanks_align(tmp_path):
    lines = [" ".join(f"{cell:<8}" for cell in row).rstrip() for row in rows()]
    same(written(tmp_path, "\n".join(lines) + "\n"), rows())


def test_the_line_by_which_excel_knows_a_delimiter(tmp_path):
    assert same(written(tmp_path, "sep=;\n" + text(rows(), ";")), rows()).written.skipped_rows == 1


def test_headers_of_groups_above_the_headers_are_titles(tmp_path):
    table = [["patient", "", "lab", ""], *rows()]
    assert same(written(tmp_path, text(table)), rows()).written.skipped_rows == 1


def test_blank_rows_of_a_sheet_are_said(tmp_path):
    table = pd.DataFrame(rows()[1:], columns=rows()[0])
    table = pd.concat([table[:20], pd.DataFrame([{}]), table[20:]])
    table.to_excel(tmp_path / "ward.xlsx", index=False)
    found = recognise(tmp_path / "ward.xlsx")
    assert len(found.table) == 60 and "1 blank rows" in " ".join(found.notes)


def test_the_one_table_in_a_zip_with_a_readme(tmp_path):
    found = same(zipped(tmp_path, {"README.txt": "about", "licence.pdf": "x", "ward.csv": text(rows())}), rows())
    assert found.member == "ward.csv" and "Of the 3 files in the zip" in found.notes[0]
