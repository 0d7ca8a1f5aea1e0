"""Lists of the management API: paging, in the envelope of the contract (§4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rest_framework import serializers

from ..limits import PAGE_RECORDS
from .serializers import StrictSerializer

_PER_PAGE = 20
# Past this, an OFFSET is a mistake or an attack, and the sum no longer fits a 64-bit number.
_LAST_PAGE = 1_000_000


class PageQuery(StrictSerializer):
    """Which page."""

    page = serializers.IntegerField(min_value=1, max_value=_LAST_PAGE, default=1, help_text="From 1.")
    per_page = serializers.IntegerField(
        min_value=1, max_value=PAGE_RECORDS.maximum, default=_PER_PAGE, help_text="At most 1,000."
    )
    totals = serializers.BooleanField(default=False, help_text="Also count: `itemsTotal`, `pageTotal`.")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of something that can be sliced and counted."""

    page: int = 1
    per_page: int = _PER_PAGE
    totals: bool = False

    def envelope(self, found: Any, show: Callable[[Sequence[Any]], Any] = list) -> dict[str, Any]:
        """The contract's envelope. One row more than the page is read, to know whether there is a next one."""
        offset = (self.page - 1) * self.per_page
        rows = list(found[offset : offset + self.per_page + 1])
        items = rows[: self.per_page]
        made = {
            "itemsReceived": len(items),
            "curPage": self.page,
            "nextPage": self.page + 1 if len(rows) > self.per_page else None,
            "prevPage": self.page - 1 if self.page > 1 else None,
            "offset": offset,
            "perPage": self.per_page,
            "items": show(items),
        }
        if self.totals:
            total = len(found) if isinstance(found, list | tuple) else found.count()
            made["itemsTotal"] = total
            made["pageTotal"] = -(-total // self.per_page)
        return made


class EnvelopeSerializer(serializers.Serializer[Any]):
    """The envelope's fields, for the description of lists; `items` is added by `envelope_of`."""

    itemsReceived = serializers.IntegerField()
    curPage = serializers.IntegerField()
    nextPage = serializers.IntegerField(allow_null=True)
    prevPage = serializers.IntegerField(allow_null=True)
    offset = serializers.IntegerField()
    perPage = serializers.IntegerField()
    itemsTotal = serializers.IntegerField(required=False)
    pageTotal = serializers.IntegerField(required=False)

    made: ClassVar[dict[str, type[serializers.Serializer[Any]]]] = {}


def envelope_of(item: type[serializers.BaseSerializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The serializer that describes a page of `item`s."""
    name = f"{item.__name__.removesuffix('Serializer')}Page"
    if name not in EnvelopeSerializer.made:
        EnvelopeSerializer.made[name] = type(name, (EnvelopeSerializer,), {"items": item(many=True)})
    return EnvelopeSerializer.made[name]
