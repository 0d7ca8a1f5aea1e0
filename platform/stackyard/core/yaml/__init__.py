"""YAML in and out: how documents are spelled in files and in the console's text editor.

`load` has closed rules of its own: scalars by YAML 1.2, so `off`, `no`, `12:30` and dates are text; `!expr 'x'`
becomes `{"$expr": "x"}`; anchors, aliases, other tags, doubled keys, non-finite numbers and anything too deep
or too long are faults with their line. `dump` writes one style: lines for structure, one line for what has
none inside, expressions in single quotes, text of several lines as literal blocks.
"""

from .reader import InvalidYaml, Loaded, Position, YamlFault, load
from .writer import dump

__all__ = ["InvalidYaml", "Loaded", "Position", "YamlFault", "dump", "load"]
