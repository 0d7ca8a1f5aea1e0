"""How large a picture is: its header, read by Pillow, never its pixels."""

from __future__ import annotations

import warnings
from typing import IO, Any

from PIL import Image, UnidentifiedImageError

from ..errors import Problem

MIMES = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/tiff", "image/avif"}
)
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
_PIXELS = 100_000_000


def measure(file: IO[bytes]) -> dict[str, Any]:
    """`{width, height}` of a picture. Problem `FILE_REFUSED` (422) when it is none, or a decompression bomb."""
    file.seek(0)
    unclosed: Any = _Unclosed(file)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(unclosed, formats=_FORMATS) as picture:
                width, height = picture.size
    except Image.DecompressionBombError:
        width, height = _PIXELS, 2
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, OverflowError) as error:
        raise Problem("FILE_REFUSED", "This is no picture that can be read.", status=422) from error
    finally:
        file.seek(0)
    if width * height > _PIXELS:
        raise Problem("FILE_REFUSED", f"The picture has more than {_PIXELS:,} points.", status=422)
    return {"width": width, "height": height}


class _Unclosed:
    """A file that Pillow reads and does not close."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read, self.seek, self.tell = file.read, file.seek, file.tell
