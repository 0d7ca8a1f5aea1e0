"""Serializers of the management API that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ..errors import did_you_mean


class StrictFields:
    """Mixin: unknown and read-only keys are faults, found in the same go as all others."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. DRF ValidationError with the faults of known and unknown keys."""
        unknown = self._unknown(data)
        try:
            value = super().to_internal_value(data)  # type: ignore[misc]
        except ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise ValidationError({**error.detail, **unknown}) from None
            raise
        if unknown:
            raise ValidationError(unknown)
        return value

    def _unknown(self, data: Any) -> dict[str, list[ErrorDetail]]:
        if not isinstance(data, Mapping):
            return {}
        fields: Mapping[str, serializers.Field[Any, Any, Any, Any]] = self.fields  # type: ignore[attr-defined]
        writable = [name for name, field in fields.items() if not field.read_only]
        found = {}
        for key in data:
            if key not in fields:
                found[str(key)] = [ErrorDetail(f"unknown.{did_you_mean(str(key), writable)}", code="unknown")]
            elif fields[key].read_only:
                found[str(key)] = [ErrorDetail("cannot be set.", code="read_only")]
        return found


class StrictSerializer(StrictFields, serializers.Serializer[Any]):
    """A serializer that refuses unknown keys."""


class StrictModelSerializer(StrictFields, serializers.ModelSerializer[Any]):
    """A model serializer that refuses unknown keys. Uniqueness is the deed's and the database's to check."""
