"""Places on the earth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import orjson

from stackyard.core.errors import Fault, did_you_mean
from stackyard.core.types import FLOAT, Type, object_of
from stackyard.tables.field_type import Convert, FieldType, Refused, refuse, unexpected
from stackyard.tables.types.float import FloatType, parse_float
from stackyard.tables.types.json import encode_text

EARTH_METRES = 6_371_008.8
"""The mean radius of the earth (IUGG), as the haversine formula takes it."""
_LIMITS = {"lat": 90, "lng": 180}


def read_place(value: Any, more: tuple[str, ...] = ()) -> dict[str, float]:
    """`{lat, lng}` with the numbers of `more` beside them; also `{type: point, data: {lng, lat}}`. Raises `Refused`."""
    if isinstance(value, Mapping) and value.get("type") == "point" and isinstance(value.get("data"), Mapping):
        value = {**value["data"], **{key: value[key] for key in more if key in value}}
    if not isinstance(value, Mapping):
        raise unexpected('a place such as {"lat": 52.52, "lng": 13.4}', value)
    wanted = (*_LIMITS, *more)
    faults = [
        Fault((str(key),), "unknown_key", f"There is no such key.{did_you_mean(str(key), wanted)}")
        for key in value
        if key not in wanted
    ]
    read: dict[str, float] = {}
    for key in wanted:
        try:
            read[key] = _number(value.get(key), _LIMITS.get(key))
        except Refused as refused:
            faults += [fault.under(key) for fault in refused.faults]
    if faults:
        raise Refused(*faults)
    return read


def _number(value: Any, most: float | None) -> float:
    if value is None:
        raise refuse("required", "is required")
    number = parse_float(value)
    if most is not None and abs(number) > most:
        raise refuse("range", f"must be between -{most} and {most}")
    return number


def distance(lat: float, lng: float, other_lat: float, other_lng: float) -> float:
    """Metres between two places in degrees, by the haversine formula."""
    a, b = math.radians(lat), math.radians(other_lat)
    across = math.radians(other_lng - lng) / 2
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across) ** 2
    return 2 * EARTH_METRES * math.asin(math.sqrt(min(1.0, half)))


class GeoPointType(FieldType):
    """A place: latitude and longitude in degrees (WGS 84)."""

    name = "geo_point"
    label = "Geo point"
    group = "structures"
    icon = "map-pin"
    operators = frozenset({"$exists", "$near", "$within"})
    can_be_unique = False
    can_be_nested = False
    is_json = True
    plain_in_json = False
    examples = (({"lat": 52.52, "lng": 13.4}, {"lat": 52.52, "lng": 13.4}),)

    def configure(self) -> None:
        """Conditions may speak of `place.lat` and `place.lng`."""
        self.children = {"lat": FloatType(), "lng": FloatType()}

    def parse(self, value: Any, lenient: bool = False) -> dict[str, float]:
        """Latitude -90 to 90, longitude -180 to 180."""
        if lenient and isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                raise unexpected("a place", value) from None
        return read_place(value)

    @property
    def value_type(self) -> Type:
        """object with lat and lng"""
        return object_of({"lat": FLOAT, "lng": FLOAT})

    def json_schema(self) -> dict[str, Any]:
        """An object with the two numbers."""
        properties = {
            key: {"type": "number", "minimum": -most, "maximum": most} for key, most in _LIMITS.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def column(self, dialect: str) -> str:
        """JSON on both."""
        return "TEXT" if dialect == "sqlite" else "jsonb"

    def binder(self, dialect: str) -> Convert | None:
        """To JSON text."""
        return encode_text

    def loader(self, dialect: str) -> Convert | None:
        """From JSON text; PostgreSQL may have written 52.0 as 52, and has its own order of keys."""
        return lambda text: self.from_json(orjson.loads(text))

    def from_json(self, value: Any) -> dict[str, float]:
        """Two floats."""
        return {"lat": float(value["lat"]), "lng": float(value["lng"])}

    def csv_text(self, value: Any) -> str:
        """JSON text."""
        return "" if value is None else encode_text(value)
