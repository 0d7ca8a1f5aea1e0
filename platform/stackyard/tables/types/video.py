"""Videos."""

from __future__ import annotations

from typing import Any, ClassVar

from stackyard.tables.types.file import FileType, example_of


class VideoType(FileType):
    """A film. See file."""

    name = "video"
    label = "Video"
    icon = "video"
    kind = "video"
    examples: ClassVar[Any] = example_of("video")
