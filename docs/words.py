"""Count the words of README and docs, the mean length of their sentences, and the longest: ``python docs/words.py``.

Code, tables, headings, pictures and the addresses of links are no prose. They are left out of sentences; tables and
headings count as words. A line of a list, a paragraph and a full stop each end a sentence.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]

FENCE = re.compile(r"^ *```.*?^ *```", flags=re.DOTALL | re.MULTILINE)
INCLUDED = re.compile(r"\{%.*?%\}|<!--.*?-->", flags=re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
CODE = re.compile(r"`[^`]*`")
# `::: module` asks for an API page, `!!! note` opens a box, `{ .attribute }` belongs to the layout.
LAYOUT = re.compile(r"^ *(:::|!!!).*|\{ *[.#:][^}]*\}|^---$", flags=re.MULTILINE)
TABLE = re.compile(r"^ *\|")
HEADING = re.compile(r"^ *#")
ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ")
END = re.compile(r"(?<=[.?!])[)\"*]*\s+(?=[\"(*`\[]*[A-Z0-9`α-ωΑ-Ω])")


class Count(NamedTuple):
    """Lines of a file, its words, and its sentences from the longest to the shortest."""

    lines: int
    words: int
    sentences: list[str]

    @property
    def mean(self) -> float:
        """Mean number of words of a sentence."""
        return sum(map(length, self.sentences)) / max(len(self.sentences), 1)

    @property
    def longest(self) -> int:
        """Number of words of the longest sentence."""
        return length(self.sentences[0]) if self.sentences else 0


def length(text: str) -> int:
    """Count the words of a text: what is parted by blanks and has a letter or a figure."""
    return sum(any(map(str.isalnum, word)) for word in text.split())


def count(markdown: str) -> Count:
    """Count a Markdown text."""
    shown = LAYOUT.sub("", PICTURE.sub("", INCLUDED.sub("", FENCE.sub("\n", markdown))))
    # A piece of code is one word, however many it has.
    shown = CODE.sub("`code`", LINK.sub(r"\1", shown))
    words = sum(length(line) for line in shown.splitlines())
    found = [sentence for block in _blocks(shown) for sentence in END.split(block) if length(sentence) > 1]
    return Count(len(markdown.splitlines()), words, sorted(found, key=length, reverse=True))


def _blocks(text: str) -> list[str]:
    """Join the lines of each paragraph and of each line of a list; tables and headings end them."""
    blocks = [""]
    for line in text.splitlines():
        if not line.strip() or TABLE.match(line) or HEADING.match(line):
            blocks.append("")
        elif ITEM.match(line):
            blocks.append(ITEM.sub("", line))
        else:
            blocks[-1] += " " + line.strip()
    return blocks


def files() -> list[Path]:
    """README, the pages of the site, and the files that pages include."""
    included = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "config/README.md", "results/reference/README.md"]
    return [*(ROOT / name for name in included), *sorted((ROOT / "docs").rglob("*.md"))]


def main() -> None:
    """Print a line a file; `-v` adds every sentence over 30 words."""
    print(f"{'file':32} {'lines':>6} {'words':>6} {'mean':>6} {'longest':>8}")
    for file in files():
        found = count(file.read_text(encoding="utf-8"))
        name = str(file.relative_to(ROOT))
        print(f"{name:32} {found.lines:6} {found.words:6} {found.mean:6.1f} {found.longest:8}")
        if "-v" in sys.argv:
            print(*(f"    {length(text)}: {text}" for text in found.sentences if length(text) > 30), sep="\n", end="")


if __name__ == "__main__":
    main()
