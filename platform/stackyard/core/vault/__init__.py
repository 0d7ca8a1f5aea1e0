"""Files that people and programs upload: kept by Django's storage API, one row each, public or behind signed links."""

from .contents import as_json, open_file, read_bytes
from .keeping import create, delete, find
from .links import signed_url
from .uploads import Upload

__all__ = ["Upload", "as_json", "create", "delete", "find", "open_file", "read_bytes", "signed_url"]
