"""Pictures of figures: with a palette, and at the size of a screen as data within a page."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Widths in pixels that are tried, the largest first.
WIDTHS = (1400, 1100, 900, 700, 500, 350)
# Colours of a figure's palette: bars, lines and their softened edges need no more.
COLOURS = 128


def with_palette(picture: Image.Image, **options: object) -> bytes:
    """Write a picture as png with a palette, a third of the bytes of one without; same picture, same bytes.

    Parameters
    ----------
    picture : PIL.Image.Image
    options
        Of Pillow's writer.
    """
    from PIL import Image

    # Maximum coverage keeps the rare colours of small marks, which the median cut mixes with others.
    few = picture.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    written = BytesIO()
    few.save(written, "png", optimize=True, **options)
    return written.getvalue()


def embedded(path: Path, most_bytes: int) -> str:
    """Give a figure as a data URI of at most so many bytes.

    Parameters
    ----------
    path : Path
        A png.
    most_bytes : int
        Of the URI. The picture is made smaller until it fits; the smallest of `WIDTHS` is taken in any case.
    """
    from PIL import Image

    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    content = path.read_bytes()
    if picture.width > WIDTHS[0] or _encoded(len(content)) > most_bytes:
        for width in (one for one in WIDTHS if one < picture.width or one == WIDTHS[-1]):
            height = max(1, round(picture.height * width / picture.width))
            content = with_palette(picture.resize((width, height), Image.Resampling.LANCZOS))
            if _encoded(len(content)) <= most_bytes:
                break
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")


def _encoded(size: int) -> int:
    """Characters that so many bytes take in base64."""
    return (size + 2) // 3 * 4
