"""DocumentField: JSON that comes back as it was stored, the order of its keys included, on both databases."""

from __future__ import annotations

import json
from typing import Any

from django.db import models


class DocumentField(models.JSONField):
    """JSON kept as text.

    PostgreSQL's jsonb sorts the keys of a map. In a document their order is the author's: of a stack's
    inputs, of a record's data, of the response; files, forms and OpenAPI show them in it.
    """

    def db_type(self, connection: Any) -> str:
        """Text on both databases."""
        return "text"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The JSON text; expressions pass as they are."""
        if value is None or hasattr(value, "as_sql"):
            return value
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
