"""Serializers of the management API that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import models
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from ..errors import did_you_mean
from ..jsonout import iso

# The years 1 to 9999, which is what a datetime holds.
_EARLIEST_MS, _LATEST_MS = -62_135_596_800_000, 253_402_300_799_999


class Moment(serializers.DateTimeField):
    """A timestamp as the contract has it: ISO 8601 with a zone, or epoch milliseconds; out in UTC with milliseconds."""

    def to_internal_value(self, value: Any) -> datetime:
        """An aware datetime. ValidationError for text without a zone."""
        if isinstance(value, int) and not isinstance(value, bool):
            if not _EARLIEST_MS <= value <= _LATEST_MS:
                self.fail("overflow")
            return datetime.fromtimestamp(value / 1000, UTC)
        if isinstance(value, str):
            try:
                moment = datetime.fromisoformat(value)
            except ValueError:
                moment = None
            if moment is not None and moment.tzinfo is not None:
                return moment.astimezone(UTC)
        raise ValidationError("expected ISO 8601 with a zone, or epoch milliseconds", code="type")

    def to_representation(self, value: Any) -> Any:
        """`2026-01-23T10:00:00.123Z`."""
        return iso(value) if value is not None else None


class Text(serializers.CharField):
    """Text and nothing that could be taken for it. Blanks stay where they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """The text. ValidationError for a number or anything else."""
        if not isinstance(data, str):
            raise ValidationError("expected text", code="type")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false and nothing that could be taken for them."""

    def to_internal_value(self, data: Any) -> bool:
        """The truth. ValidationError for `"yes"`, 1 and anything else."""
        if not isinstance(data, bool):
            raise ValidationError("expected true or false", code="type")
        return data


class AnyJSON(serializers.JSONField):
    """Any JSON value, as it is."""

    def to_internal_value(self, data: Any) -> Any:
        """The value itself."""
        return data

    def to_representation(self, value: Any) -> Any:
        """The value itself."""
        return value


class FieldsKey:
    """Mixin: declares keys such as `fields` and `return` with a trailing `_`, where the plain word is taken."""

    def get_fields(self) -> dict[str, Any]:
        """The declared fields, without the trailing `_`."""
        declared: dict[str, Any] = super().get_fields()  # type: ignore[misc]
        return {name.rstrip("_"): field for name, field in declared.items()}


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
                hint = did_you_mean(str(key), writable)
                found[str(key)] = [ErrorDetail(f"this is not known here.{hint}", code="unknown")]
            elif fields[key].read_only:
                found[str(key)] = [ErrorDetail("this cannot be set.", code="read_only")]
        return found


class StrictSerializer(StrictFields, serializers.Serializer[Any]):
    """A serializer that refuses unknown keys."""


class StrictModelSerializer(StrictFields, serializers.ModelSerializer[Any]):
    """A model serializer that refuses unknown keys. Uniqueness is the deed's and the database's to check."""

    serializer_field_mapping: ClassVar[Any] = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.CharField: Text,
        models.TextField: Text,
        models.BooleanField: Flag,
        models.DateTimeField: Moment,
        models.JSONField: AnyJSON,
    }
