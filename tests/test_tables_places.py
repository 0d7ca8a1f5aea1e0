"""Places and words: `$near`, `$within` and `$search` answer as plain Python does."""

from __future__ import annotations

import math
from typing import Any

import pytest

from stackyard.core.errors import Problem
from stackyard.tables.query import Query, Slot
from stackyard.tables.store import Store
from tests.factories import make_store

pytestmark = pytest.mark.django_db(databases=["default", "history"])

PLACES = [
    (0, 0), (52.52, 13.405), (48.8566, 2.3522), (-33.8688, 151.2093), (90, 0), (-90, 77), (0, 180), (0, -180),
    (10.5, 179.9), (10.5, -179.9), (52.520001, 13.405), (-0.0, 1e-5),
]  # fmt: skip


def place_store() -> Store:
    store = make_store(places={"at": "geo_point", "name": "text"})
    store.add_many("places", [{"at": {"lat": lat, "lng": lng}} for lat, lng in PLACES] + [{}])
    return store


def ids(store: Store, where: Any, values: tuple[Any, ...] = ()) -> list[int]:
    return [r["id"] for r in store.query(Query("places", where=where, fields=["id"]), values)]


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By the angle between two vectors, where the store uses the haversine formula."""
    a, b = ([math.cos(math.radians(p[0])) * math.cos(math.radians(p[1])),
             math.cos(math.radians(p[0])) * math.sin(math.radians(p[1])), math.sin(math.radians(p[0]))] for p in (one, other))  # fmt: skip
    cross = math.dist((a[1] * b[2], a[2] * b[0], a[0] * b[1]), (a[2] * b[1], a[0] * b[2], a[1] * b[0]))
    return 6_371_008.8 * math.atan2(cross, sum(x * y for x, y in zip(a, b, strict=True)))


def test_near_is_a_circle_on_the_earth() -> None:
    store = place_store()
    for centre in PLACES:
        for distance in (0, 1, 1_000, 25_000, 1_000_000, 9_000_000, 20_037_508):
            where = {"at": {"$near": {"lat": centre[0], "lng": centre[1], "distance": distance}}}
            wanted = [n for n, p in enumerate(PLACES, 1) if metres(centre, p) <= distance + 0.001]
            assert ids(store, where) == wanted, (centre, distance)
    slots = {"at": {"$near": {"lat": Slot(0), "lng": Slot(1), "distance": 1}}}
    assert ids(store, slots, (52.52, 13.405)) == [2, 11]


def test_within_is_a_box_that_may_cross_the_date_line() -> None:
    store = place_store()
    boxes = [(-90, -180, 90, 180), (0, 0, 0, 0), (10, 179, 11, -179), (-1, 170, 11, -170), (52, 13, 53, 14)]
    for south, west, north, east in boxes:
        where = {"at": {"$within": {"south": south, "west": west, "north": north, "east": east}}}
        wanted = [
            n for n, (lat, lng) in enumerate(PLACES, 1)
            if south <= lat <= north and (west <= lng <= east if west <= east else lng >= west or lng <= east)
        ]  # fmt: skip
        assert ids(store, where) == wanted, (south, west, north, east)
    assert ids(store, {"at.lat": {"$lt": -50}}) == [6]
    assert ids(store, {"at": {"$exists": False}}) == [13]
    assert ids(
        store, {"$not": {"at": {"$within": {"south": -90, "west": -180, "north": 90, "east": 180}}}}
    ) == [13]


def test_a_place_is_read_and_kept() -> None:
    store = make_store(places={"at": "geo_point"})
    for given, kept in (
        ({"lat": 1, "lng": 2}, {"lat": 1.0, "lng": 2.0}),
        ({"type": "point", "data": {"lng": 13.4, "lat": 52.52}}, {"lat": 52.52, "lng": 13.4}),
    ):
        record = store.add("places", {"at": given})
        assert record["at"] == kept
        assert {type(number) for number in record["at"].values()} == {float}


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({"at": {"$near": {"lat": 91, "lng": 0, "distance": 1}}}, "where.at.$near.lat"),
        ({"at": {"$near": {"lat": 1, "lng": 0}}}, "where.at.$near.distance"),
        ({"at": {"$near": {"lat": 1, "lng": 0, "distance": -1}}}, "where.at.$near.distance"),
        ({"at": {"$near": {"lat": 1, "lng": 0, "distance": 1, "unit": "km"}}}, "where.at.$near.unit"),
        ({"at": {"$near": [1, 2]}}, "where.at.$near"),
        ({"at": {"$within": {"south": 5, "north": 1, "west": 0, "east": 0}}}, "where.at.$within.south"),
        ({"at": {"$within": {"north": "x"}}}, "where.at.$within.south"),
        ({"at": {"lat": 1}}, "where.at.lat"),
        ({"at": {"$near": None}}, "where.at.$near"),
        ({"name": {"$near": {"lat": 1, "lng": 0, "distance": 1}}}, "where.name.$near"),
        ({"name": {"$search": 5}}, "where.name.$search"),
        ({"name": {"$search": "a " * 30}}, None),
        ({"name": {"$search": " ".join(map(str, range(21)))}}, "where.name.$search"),
        ({"name": {"$search": "a\0"}}, "where.name.$search"),
    ],
)
def test_what_is_no_place_is_said(where: Any, place: str | None) -> None:
    store = make_store(places={"at": "geo_point", "name": "text"})
    if place is None:
        assert ids(store, where) == []
        return
    with pytest.raises(Problem) as caught:
        ids(store, where)
    assert caught.value.details[0].field == place


TEXTS = ["Ann Müller, Berlin", "BERLIN — ann", "annberlin", "", "100% 'sure' \\ _x_", "ÄRGER in Köln", "ann"]
SEARCHES = [
    "ann berlin",
    "Berlin ANN ann",
    "",
    "  ",
    "100%",
    "'sure'",
    "\\",
    "_x_",
    "%",
    "ärger KÖLN",
    "nn mü",
    "berlin,",
]


def test_search_wants_every_word_in_any_case() -> None:
    store = make_store(places={"name": "text", "meta": "json"})
    store.add_many("places", [{"name": text, "meta": {"t": text}} for text in TEXTS] + [{"meta": {"t": 5}}])
    for asked in SEARCHES:
        wanted = [
            n for n, text in enumerate(TEXTS, 1) if all(w in text.lower() for w in asked.lower().split())
        ]
        assert ids(store, {"name": {"$search": asked}}) == wanted, asked
        assert ids(store, {"meta.t": {"$search": asked}}) == wanted, asked
        assert ids(store, {"name": {"$search": Slot(0)}}, (asked,)) == wanted, asked
    assert ids(store, {"name": {"$search": Slot(0), "$optional": True}}, (None,)) == list(
        range(1, len(TEXTS) + 2)
    )
