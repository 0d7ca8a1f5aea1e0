"""Audios."""

from __future__ import annotations

from typing import Any, ClassVar

from stackyard.tables.types.file import FileType, example_of


class AudioType(FileType):
    """A sound. See file."""

    name = "audio"
    label = "Audio"
    icon = "music"
    kind = "audio"
    examples: ClassVar[Any] = example_of("audio")
