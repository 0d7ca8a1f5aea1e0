"""A workspace as files: the FileKind family and the three deeds apply, export and diff.

`folder` reads the folder, `kind` is the family and the plan of one kind, `walk` the whole; each app says in
its own `files.py` how what it owns is written (`workspace` does so for core).
"""

from .folder import FileFault, FileFaults, Folder, InvalidFiles, SourceFile
from .kind import Change, DocumentFiles, FileKind, Walk
from .walk import Plan, apply, diff, export, find_workspace, follow_up
from .workspace import WorkspaceFiles

__all__ = [
    "Change",
    "DocumentFiles",
    "FileFault",
    "FileFaults",
    "FileKind",
    "Folder",
    "InvalidFiles",
    "Plan",
    "SourceFile",
    "Walk",
    "WorkspaceFiles",
    "apply",
    "diff",
    "export",
    "find_workspace",
    "follow_up",
]
