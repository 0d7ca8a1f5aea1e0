"""Conditions with an operand of their own shape: `$near` and `$within` of a place, `$search` in a text.

    {"place": {"$near": {"lat": 52.5, "lng": 13.4, "distance": 2000}}}     metres, as the crow flies
    {"place": {"$within": {"south": 47, "west": 5, "north": 55, "east": 15}}}
    {"name": {"$search": "ann berlin"}}          every word stands somewhere in the text, in any case

Each operand is one bind. A box whose west is east of its east goes across the 180th meridian.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from stackyard.core.errors import Fault, did_you_mean

from .field_type import Refused, refuse, unexpected
from .operands import TEXT_LIMIT, Reader
from .types.float import parse_float
from .types.geo_point import EARTH_METRES, read_place
from .types.text import parse_text

Element = Any
FARTHEST = 20_037_508.4
"""Metres: half way round the earth."""
MILLIMETRE = 0.001
"""What the formula may be wrong by; a distance of 0 finds the place itself."""
MOST_WORDS = 20
_SIDES = {"south": 90, "west": 180, "north": 90, "east": 180}


class _Numbers(Reader):
    """Binds a list of numbers as JSON."""

    def read(self, value: Any) -> Any:
        """The numbers, bound."""
        return orjson.dumps(self.numbers(value)).decode()

    def numbers(self, value: Any) -> list[float]:
        """The numbers of an operand. Raises `Refused`."""
        raise NotImplementedError


class NearReader(_Numbers):
    """`{lat, lng, distance}`: the place, the distance, and the latitudes between which it lies."""

    def numbers(self, value: Any) -> list[float]:
        """lat, lng, distance in metres, least and greatest latitude."""
        read = read_place(value, ("distance",))
        metres = read["distance"]
        if not 0 <= metres <= FARTHEST:
            raise Refused(Fault(("distance",), "range", f"must be between 0 and {FARTHEST:,.0f} metres"))
        # A little wider than the circle, so that rounding leaves nothing out.
        band = math.degrees(metres / EARTH_METRES) * 1.000001 + 1e-9
        return [read["lat"], read["lng"], metres + MILLIMETRE, read["lat"] - band, read["lat"] + band]


class WithinReader(_Numbers):
    """`{south, west, north, east}` in degrees."""

    def numbers(self, value: Any) -> list[float]:
        """The four sides."""
        if not isinstance(value, Mapping):
            raise unexpected('a box such as {"south": 47, "west": 5, "north": 55, "east": 15}', value)
        faults = [
            Fault((str(key),), "unknown_key", f"There is no such key.{did_you_mean(str(key), _SIDES)}")
            for key in value
            if key not in _SIDES
        ]
        read = []
        for side, most in _SIDES.items():
            try:
                if value.get(side) is None:
                    raise refuse("required", "is required")
                read.append(parse_float(value[side]))
                if abs(read[-1]) > most:
                    raise refuse("range", f"must be between -{most} and {most}")
            except Refused as refused:
                faults += [fault.under(side) for fault in refused.faults]
        if faults:
            raise Refused(*faults)
        if read[0] > read[2]:
            raise Refused(Fault(("south",), "range", "south is north of north"))
        return read


class SearchReader(Reader):
    """A text of words, bound as a list of them."""

    def state(self, values: Sequence[Any]) -> str:
        """What it is compared with within JSON is a text."""
        return "text"

    def read(self, value: Any) -> Any:
        """The words, each once."""
        text = parse_text(value)
        if len(text) > TEXT_LIMIT:
            raise refuse("length", f"must have at most {TEXT_LIMIT:,} characters")
        words = list(dict.fromkeys(text.split()))
        if len(words) > MOST_WORDS:
            raise refuse("length", f"must have at most {MOST_WORDS} words")
        if self.dialect != "sqlite":
            return words
        return orjson.dumps([word.lower() for word in words]).decode()


def search_sql(column: Element, name: str, dialect: str, folding: str) -> Element:
    """That no word is missing; a text that is not there has none."""
    one: Element = sa.literal_column("1")
    if dialect == "sqlite":
        words = sa.func.json_each(sa.bindparam(name, type_=sa.Text())).table_valued(
            "value", name=f"{name}_words"
        )
        missing = sa.func.instr(sa.func.stackyard_lower(column), words.c.value) == sa.literal_column("0")
    else:
        array = postgresql.ARRAY(sa.Text())
        words = (
            sa.func.unnest(sa.cast(sa.bindparam(name, type_=array), array))
            .table_valued("value", name=f"{name}_words")
            .render_derived()
        )
        folded, wanted = (
            sa.func.lower(sa.cast(side, sa.Text()).collate(folding)).collate("C")
            for side in (column, words.c.value)
        )
        missing = sa.func.strpos(folded, wanted) == sa.literal_column("0")
    found = sa.exists(sa.select(one).select_from(words).where(missing))
    return sa.and_(column.is_not(None), sa.not_(found))


class _Place:
    """A column's latitude and longitude, and an operand's numbers, as doubles."""

    def __init__(self, column: Element, name: str, dialect: str) -> None:
        self.is_sqlite = dialect == "sqlite"
        self.name = name
        self.lat, self.lng = self._part(column, "lat"), self._part(column, "lng")

    def _part(self, column: Element, key: str) -> Element:
        if self.is_sqlite:
            return sa.type_coerce(sa.func.json_extract(column, sa.literal(f"$.{key}")), sa.Double())
        taken = column.op("->>")(sa.literal_column(f"'{key}'"))
        return sa.cast(sa.type_coerce(taken, sa.Text()), sa.Double())

    def number(self, place: int) -> Element:
        """One of the operand's numbers."""
        bind = sa.bindparam(self.name, type_=sa.Text())
        if self.is_sqlite:
            return sa.type_coerce(sa.func.json_extract(bind, sa.literal(f"$[{place}]")), sa.Double())
        taken = sa.cast(bind, postgresql.JSONB()).op("->>")(sa.literal_column(str(place)))
        return sa.cast(sa.type_coerce(taken, sa.Text()), sa.Double())


def near(column: Element, name: str, dialect: str) -> Element:
    """Within a distance: first the latitudes, which are cheap, then the haversine formula."""
    place = _Place(column, name, dialect)
    lat, lng = place.number(0), place.number(1)
    band = place.lat.between(place.number(3), place.number(4))
    if place.is_sqlite:
        metres = sa.func.stackyard_distance(place.lat, place.lng, lat, lng)
    else:
        metres = _haversine(place.lat, place.lng, lat, lng)
    return sa.and_(column.is_not(None), band, metres <= place.number(2))


def _haversine(lat: Element, lng: Element, other_lat: Element, other_lng: Element) -> Element:
    a, b = sa.func.radians(lat), sa.func.radians(other_lat)
    two: Element = sa.literal_column("2")
    up = sa.func.power(sa.func.sin((b - a) / two), two)
    across = sa.func.power(sa.func.sin(sa.func.radians(other_lng - lng) / two), two)
    half = up + sa.func.cos(a) * sa.func.cos(b) * across
    earth: Element = sa.literal_column(str(2 * EARTH_METRES))
    return earth * sa.func.asin(sa.func.sqrt(sa.func.least(sa.literal_column("1.0"), half)))


def within(column: Element, name: str, dialect: str) -> Element:
    """Within a box, its sides included."""
    place = _Place(column, name, dialect)
    south, west, north, east = (place.number(n) for n in range(4))
    across = sa.or_(
        sa.and_(west <= east, place.lng.between(west, east)),
        sa.and_(west > east, sa.or_(place.lng >= west, place.lng <= east)),
    )
    return sa.and_(column.is_not(None), place.lat.between(south, north), across)


PLACES: Mapping[str, Callable[[Element, str, str], Element]] = {"near": near, "within": within}
