"""Attachments."""

from __future__ import annotations

from typing import Any, ClassVar

from stackyard.tables.types.file import FileType, example_of


class AttachmentType(FileType):
    """A file of any type. See file."""

    name = "attachment"
    label = "Attachment"
    icon = "paperclip"
    kind = "attachment"
    examples: ClassVar[Any] = example_of("attachment")
