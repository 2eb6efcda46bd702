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
# Colours of a figure's palette, the fewest that nobody tells from the full picture: bars and lines with their softened
# edges need few, heatmaps many.
COLOURS = (32, 48, 64, 96, 128)
# A pixel looks other if a channel differs by more than so many of 255 levels; one in so many pixels may.
SEEN = 20
FEW = 1_000


def with_palette(picture: Image.Image, **options: object) -> bytes:
    """Write a picture as png with a palette, a third of the bytes of one without; same picture, same bytes.

    Parameters
    ----------
    picture : PIL.Image.Image
    options
        Of Pillow's writer.
    """
    from PIL import Image, ImageChops

    full = picture.convert("RGB")
    for colours in COLOURS:
        # Maximum coverage keeps the rare colours of small marks, which the median cut mixes with others.
        few = full.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        apart = ImageChops.difference(full, few.convert("RGB")).split()
        largest = ImageChops.lighter(ImageChops.lighter(apart[0], apart[1]), apart[2])
        if sum(largest.histogram()[SEEN + 1 :]) * FEW <= full.width * full.height:
            break
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
