"""Opening raw files in place, whatever they are packed in, and telling by their first bytes what they are."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from medsynth.errors import InputError, nearest

# What other systems leave in an archive beside the table.
_RUBBISH_FOLDERS, _RUBBISH_NAMES = {"__macosx"}, {".ds_store", "thumbs.db", "desktop.ini"}

# A raw table's bytes, unpacked.
RawStream = io.BufferedReader | gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile | zipfile.ZipExtFile

_Opener = Callable[[Path, Literal["rb"]], RawStream]
_PACKERS: dict[str, _Opener] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}

# First bytes of files that no reader here understands -> what they are and what helps.
_FOREIGN = {
    b"%PDF": "a PDF; export the table as csv",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"Rar!": "a rar archive; unpack it",
    b"RDX": "an R workspace; write the table with write.csv",
    b"RDA": "an R workspace; write the table with write.csv",
    b"SQLite format 3": "a database; export the table as csv",
}


@contextmanager
def open_raw(path: str | Path, member: str | None = None) -> Iterator[RawStream]:
    """Open a raw table as a binary stream, unpacking on the way; nothing is written to disk.

    Parameters
    ----------
    path : str or Path
        A table, also packed with gzip, bzip2 or xz, or a zip. A workbook is a table, although its bytes are a zip's.
    member : str, optional
        The table inside a zip, needed if the zip holds several.

    Raises
    ------
    InputError
        The file is absent, cannot be read, is not the archive its name says, is encrypted, or lacks the member.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    try:
        if suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(_inside(archive, path, member)) as stream:
                # Annotated as IO[bytes], which has no `readinto`.
                assert isinstance(stream, zipfile.ZipExtFile)
                yield stream
        else:
            opener: _Opener = _PACKERS.get(suffix, open)
            with opener(path, "rb") as stream:
                yield stream
    except FileNotFoundError:
        raise InputError(f"The raw file {path} does not exist.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name the table in it.") from None
    except PermissionError:
        raise InputError(f"{path} may not be read; change its permissions or copy it.") from None
    except RuntimeError as error:
        if "password" not in str(error) and "encrypted" not in str(error):
            raise
        raise InputError(f"{path} is encrypted; unpack it with its password first.") from None
    except NotImplementedError:
        raise InputError(f"{path} is packed in a way that cannot be read; unpack it, or pack it as usual.") from None
    except (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} is damaged or not a {suffix} file ({error}); get it again.") from None
    except OSError as error:
        # bz2 says "Invalid data stream" with a bare OSError; a full or failing disk has a number.
        if error.errno is not None:
            raise
        raise InputError(f"{path} is damaged or not a {suffix} file ({error}); get it again.") from None


def _inside(archive: zipfile.ZipFile, path: Path, member: str | None) -> str:
    """Name of the table inside a zip."""
    names = members(archive)
    member = member or (names[0] if len(names) == 1 else None)
    # Publishers rename the folder inside an archive; the table's own name is what counts.
    inside = next((n for n in names if member and Path(n).name == Path(member).name), None)
    if inside is None:
        wanted = f"no '{member}'" if member else "not one table"
        raise InputError(f"{path} holds {wanted}{nearest(member or path.stem, names)}")
    return inside


def members(archive: zipfile.ZipFile) -> list[str]:
    """Names of what a zip holds, without folders and what other systems add."""
    kept = []
    for name in archive.namelist():
        parts = [part.lower() for part in Path(name).parts]
        rubbish = set(parts) & _RUBBISH_FOLDERS or parts[-1] in _RUBBISH_NAMES or parts[-1].startswith("._")
        if not name.endswith("/") and not rubbish:
            kept.append(name)
    return kept


def sha256(path: str | Path, member: str | None = None) -> str:
    """SHA-256 of a raw table's unpacked bytes, as 64 hexadecimal digits."""
    with open_raw(path, member) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def kind_of(path: str | Path, member: str | None = None) -> str:
    """Tell by a file's first bytes what it is: text, excel, parquet, spss, stata, sas or xport.

    Raises
    ------
    InputError
        It is something else (a PDF, a web page, an archive in an archive), or an encrypted workbook.
    """
    with open_raw(path, member) as stream:
        start = stream.read(512)
    if not start:
        raise InputError(f"{path} is empty.")
    for magic, what in _FOREIGN.items():
        if start.startswith(magic):
            raise InputError(f"{path} is {what}.")
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<table", b"<?xml")):
        raise InputError(f"{path} is a web page or XML, whatever its name says; save the table as csv or xlsx.")
    if start.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "excel"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path, member)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"$FL2", b"$FL3")):
        return "spss"
    if start.startswith(b"<stata_dta>") or _is_old_stata(start, str(member or path)):
        return "stata"
    if start[12:32] == b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c\x18\x1f\x10\x11"[:20]:
        return "sas"
    if start.startswith(b"HEADER RECORD*******"):
        return "xport"
    return "text"


def _is_old_stata(start: bytes, name: str) -> bool:
    """Whether a file is of Stata before 13, whose first byte is a release and whose second an order of bytes."""
    name = name.lower()
    for packer in _PACKERS:
        name = name.removesuffix(packer)
    return name.endswith(".dta") and start[0] in range(102, 116) and start[1] in (1, 2)


def _kind_of_zip(path: str | Path, member: str | None) -> str:
    """Tell workbooks, which are zips, from archives in archives."""
    with open_raw(path, member) as stream:
        try:
            names = zipfile.ZipFile(stream).namelist()
        except zipfile.BadZipFile as error:
            raise InputError(f"{path} is damaged ({error}); get it again.") from None
    if any(name.startswith("xl/") for name in names) or "content.xml" in names:
        return "excel"
    raise InputError(f"{path} is a zip under another name, or one in another; unpack it or name it .zip.")
