"""Images."""

from __future__ import annotations

from typing import Any, ClassVar

from stackyard.tables.types.file import FileType, example_of


class ImageType(FileType):
    """A picture (PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF); how wide and high it is, is in `meta`. See file."""

    name = "image"
    label = "Image"
    icon = "image"
    kind = "image"
    examples: ClassVar[Any] = example_of("image")
