"""Makes the records of the sample workspace: `python examples/generate_shop.py`.

The same bytes each time (a seeded generator, fixed dates in 2025 and 2026), in the form `manage.py workspace
export --records` writes. The people and companies are made up; the addresses of their mail are reserved
for examples (RFC 2606).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

CUSTOMERS, ORDERS = 500, 5_200
FIRST_DAY, LAST_DAY = datetime(2025, 2, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
RECORDS = Path(__file__).parent / "shop" / "records"

# Given names, family names, cities with postal codes, country, prefix of telephone numbers.
PLACES: Sequence[tuple[str, str, str, str, str]] = (
    (
        "Amara Chidi Ngozi Emeka Ifeoma Tunde Yewande Obinna Zainab Kelechi",
        "Okafor Adeyemi Eze Balogun Nwosu Abiola Okonkwo Bello",
        "Lagos 100001|Abuja 900001|Ibadan 200001|Enugu 400001",
        "NG",
        "+234",
    ),
    (
        "Haruto Yui Sora Hina Ren Aoi Kaito Mei Takumi Sakura",
        "Sato Suzuki Takahashi Tanaka Watanabe Ito Yamamoto Nakamura",
        "Osaka 530-0001|Kyoto 600-8216|Sapporo 060-0001|Fukuoka 810-0001",
        "JP",
        "+81",
    ),
    (
        "Lukas Anna Jonas Greta Felix Lea Matthias Jürgen Sabine Katrin",
        "Müller Schneider Weber Hofmann Krüger Vogel Böhm Lindner",
        "Berlin 10115|Köln 50667|Leipzig 04109|München 80331",
        "DE",
        "+49",
    ),
    (
        "Priya Arjun Ananya Rohan Kavya Vikram Meera Sanjay Divya Rahul",
        "Sharma Iyer Patel Reddy Banerjee Nair Kulkarni Singh",
        "Pune 411001|Chennai 600001|Jaipur 302001|Kolkata 700001",
        "IN",
        "+91",
    ),
    (
        "Sofía Mateo Valentina Diego Camila Joaquín Lucía Andrés Renata Emilio",
        "García Hernández Morales Castillo Rojas Mendoza Ibarra Núñez",
        "Guadalajara 44100|Puebla 72000|Mérida 97000|Monterrey 64000",
        "MX",
        "+52",
    ),
    (
        "Leïla Karim Nadia Youssef Salma Idriss Amina Rachid Hind Omar",
        "Benali El-Amrani Haddad Ziani Bouazza Cherkaoui Mansouri Tazi",
        "Rabat 10000|Fès 30000|Tanger 90000|Agadir 80000",
        "MA",
        "+212",
    ),
    (
        "Olivia Noah Mila Ethan Chloé Liam Zoë Logan Hailey Theo",
        "Tremblay MacDonald Nguyen Bergeron Campbell Fraser Gagnon Whitehorse",
        "Halifax B3H 4R2|Québec G1R 2B5|Calgary T2P 1J9|Victoria V8W 1P6",
        "CA",
        "+1",
    ),
    (
        "Lina Oskar Astrid Nils Freja Emil Saga Viktor Ebba Axel",
        "Lindqvist Åkesson Bergström Nyström Sjöberg Öberg Hallgren Dahl",
        "Malmö 211 20|Uppsala 753 20|Gävle 803 11|Umeå 903 26",
        "SE",
        "+46",
    ),
    (
        "Thandi Sipho Lerato Bongani Naledi Pieter Annika Kagiso Zola Willem",
        "Dlamini Nkosi Botha Mokoena van-der-Merwe Khumalo Pillay Naidoo",
        "Durban 4001|Pretoria 0002|Gqeberha 6001|Bloemfontein 9301",
        "ZA",
        "+27",
    ),
)
# fmt: off
STREETS = ("Harbour", "Station", "Mill", "Garden", "Market", "Chapel", "Orchard", "River", "Museum", "Lighthouse")
COMPANY_WORDS = (
    "Northwind", "Cedar", "Harbour", "Juniper", "Copper", "Lantern",
    "Meridian", "Saffron", "Granite", "Willow", "Beacon", "Tamarind",
)
COMPANY_ENDS = ("Studio", "Traders", "Kitchen", "Books", "Interiors", "Supply", "Workshop", "Labs", "Clinic", "Café")
TAGS = ("newsletter", "wholesale", "press", "local", "vip", "late-payer", "gift-buyer", "referral")
TIERS = (("standard", 70), ("silver", 20), ("gold", 10))
COLUMNS = {
    "customers": (
        "id", "created_at", "name", "email", "company", "phone", "address", "tier", "tags", "birthday",
        "accepts_marketing",
    ),
    "products": (
        "id", "created_at", "sku", "name", "category", "price", "stock", "weight_kg", "active", "attributes",
    ),
    "orders": ("id", "created_at", "number", "customer", "status", "items", "shipping", "total", "note"),
}
# fmt: on

# Name, category, price, weight in kg, attributes.
PRODUCTS: Sequence[tuple[str, str, str, float, dict[str, Any]]] = (
    ("Stoneware mug", "kitchen", "14.50", 0.38, {"color": "sand", "volume_ml": 350}),
    ("Stoneware mug, large", "kitchen", "18.00", 0.52, {"color": "sea", "volume_ml": 500}),
    ("Espresso cup", "kitchen", "9.80", 0.18, {"color": "coal", "volume_ml": 90}),
    ("Cast-iron skillet", "kitchen", "64.00", 2.35, {"diameter_cm": 26}),
    ("Carbon-steel wok", "kitchen", "52.90", 1.6, {"diameter_cm": 32}),
    ("Chef's knife", "kitchen", "89.00", 0.24, {"steel": "1.4116", "blade_cm": 20}),
    ("Paring knife", "kitchen", "24.90", 0.09, {"blade_cm": 9}),
    ("Olive-wood board", "kitchen", "46.00", 1.1, {"wood": "olive", "size_cm": [38, 22]}),
    ("Salad bowl", "kitchen", "39.50", 1.25, {"wood": "ash", "diameter_cm": 28}),
    ("Linen tea towel", "kitchen", "12.00", 0.11, {"size_cm": [50, 70]}),
    ("Pour-over coffee set", "kitchen", "34.90", 0.7, {"cups": 4}),
    ("Pepper mill", "kitchen", "29.00", 0.31, {"wood": "walnut"}),
    ("Glass carafe", "kitchen", "22.50", 0.65, {"volume_ml": 1000}),
    ("Enamel roasting tin", "kitchen", "27.00", 1.05, {"size_cm": [36, 26]}),
    ("Reading lamp", "lighting", "79.00", 1.9, {"bulb": "E14", "color": "brass"}),
    ("Desk lamp", "lighting", "68.50", 1.4, {"bulb": "GU10", "color": "white"}),
    ("Pendant lamp, small", "lighting", "95.00", 1.2, {"bulb": "E27", "diameter_cm": 22}),
    ("Pendant lamp, large", "lighting", "149.00", 2.6, {"bulb": "E27", "diameter_cm": 40}),
    ("Paper lantern", "lighting", "26.00", 0.35, {"diameter_cm": 45}),
    ("Beeswax candles, six", "lighting", "18.90", 0.48, {"hours": 9}),
    ("Storm lantern", "lighting", "44.00", 1.15, {"fuel": "lamp oil"}),
    ("LED bulb, warm white", "lighting", "7.90", 0.05, {"lumen": 806, "kelvin": 2700}),
    ("Wool blanket", "textiles", "118.00", 1.35, {"wool": "merino", "size_cm": [130, 190]}),
    ("Cotton throw", "textiles", "58.00", 0.95, {"size_cm": [130, 170]}),
    ("Linen cushion", "textiles", "36.00", 0.6, {"color": "moss", "size_cm": [45, 45]}),
    ("Velvet cushion", "textiles", "42.00", 0.65, {"color": "rust", "size_cm": [45, 45]}),
    ("Bath towel", "textiles", "32.00", 0.62, {"size_cm": [70, 140]}),
    ("Hand towel", "textiles", "16.50", 0.24, {"size_cm": [50, 100]}),
    ("Linen bed set", "textiles", "189.00", 2.2, {"size_cm": [140, 200]}),
    ("Jute rug", "textiles", "129.00", 4.8, {"size_cm": [120, 180]}),
    ("Wool rug", "textiles", "349.00", 7.4, {"size_cm": [160, 230]}),
    ("Felt slippers", "textiles", "48.00", 0.4, {"sizes": [36, 38, 40, 42, 44]}),
    ("Oak stool", "furniture", "119.00", 3.7, {"wood": "oak", "height_cm": 45}),
    ("Beech chair", "furniture", "189.00", 5.2, {"wood": "beech"}),
    ("Folding table", "furniture", "229.00", 11.5, {"size_cm": [120, 70]}),
    ("Wall shelf", "furniture", "74.00", 2.9, {"width_cm": 80}),
    ("Coat rack", "furniture", "98.00", 3.3, {"hooks": 6}),
    ("Storage bench", "furniture", "259.00", 14.2, {"width_cm": 110}),
    ("Side table", "furniture", "139.00", 4.6, {"diameter_cm": 42}),
    ("Shoe rack", "furniture", "69.00", 3.8, {"shelves": 3}),
    ("Seagrass basket", "storage", "38.00", 0.9, {"volume_l": 30}),
    ("Laundry basket", "storage", "59.00", 1.8, {"volume_l": 60}),
    ("Glass jar, 1 litre", "storage", "8.50", 0.55, {"volume_ml": 1000}),
    ("Glass jar, 2 litres", "storage", "11.50", 0.88, {"volume_ml": 2000}),
    ("Bread tin", "storage", "54.00", 1.75, {"color": "cream"}),
    ("Document box", "storage", "19.00", 0.5, {"format": "A4"}),
    ("Tool box", "storage", "49.00", 1.6, {"material": "steel"}),
    ("Wire crate", "storage", "24.00", 1.0, {"size_cm": [40, 30, 22]}),
    ("Notebook, dotted", "paper", "13.90", 0.29, {"pages": 192, "format": "A5"}),
    ("Notebook, plain", "paper", "13.90", 0.29, {"pages": 192, "format": "A5"}),
    ("Letter paper", "paper", "16.00", 0.4, {"sheets": 50}),
    ("Fountain pen", "paper", "45.00", 0.03, {"nib": "M"}),
    ("Ink, blue-black", "paper", "12.50", 0.2, {"volume_ml": 50}),
    ("Wall calendar", "paper", "21.00", 0.35, {"year": 2026}),
    ("Wrapping paper", "paper", "6.90", 0.15, {"sheets": 5}),
    ("Terracotta pot, small", "garden", "9.00", 0.95, {"diameter_cm": 14}),
    ("Terracotta pot, large", "garden", "24.00", 3.9, {"diameter_cm": 30}),
    ("Watering can", "garden", "37.00", 1.1, {"volume_l": 5}),
    ("Secateurs", "garden", "41.50", 0.23, {"blade": "bypass"}),
    (
        "Herb seeds, five kinds",
        "garden",
        "11.00",
        0.04,
        {"kinds": ["basil", "thyme", "dill", "chives", "mint"]},
    ),
)


class Generator:
    """The three tables in the order their references need."""

    def __init__(self) -> None:
        self.random = Random(20250123)

    def moment(self, first: datetime, last: datetime) -> datetime:
        """A moment of a working or a waking hour."""
        day = first + timedelta(days=self.random.randrange(max(1, (last - first).days)))
        second = self.random.randint(6 * 3600, 22 * 3600)
        return day.replace(hour=0, minute=0, second=0) + timedelta(
            seconds=second, milliseconds=self.random.randrange(1000)
        )

    def one_of(self, weighted: Sequence[tuple[str, int]]) -> str:
        """A choice by weight."""
        return self.random.choices([w[0] for w in weighted], [w[1] for w in weighted])[0]

    def customers(self) -> list[dict[str, Any]]:
        """People of several countries; every sixth buys for a company."""
        made, mails = [], set()
        while len(made) < CUSTOMERS:
            given, family, cities, country, prefix = self.random.choice(PLACES)
            first, last = (
                self.random.choice(given.split()),
                self.random.choice(family.split()).replace("-", " "),
            )
            mail = f"{_ascii(first)}.{_ascii(last)}@example.{self.random.choice(('com', 'org', 'net'))}"
            if mail in mails:
                continue
            mails.add(mail)
            city, postal_code = self.random.choice(cities.split("|")).split(" ", 1)
            made.append(
                {
                    "name": f"{first} {last}",
                    "email": mail,
                    "company": self.company(),
                    "phone": f"{prefix} 555 {self.random.randrange(10_000):04d}"
                    if self.random.random() < 0.8
                    else None,
                    "address": {
                        "street": f"{self.random.choice(STREETS)} Street {self.random.randint(1, 120)}",
                        "city": city,
                        "postal_code": postal_code,
                        "country": country,
                    },
                    "tier": self.one_of(TIERS),
                    "tags": sorted(self.random.sample(TAGS, self.random.choice((0, 0, 1, 1, 2, 3)))),
                    "birthday": self.birthday(),
                    "accepts_marketing": self.random.random() < 0.42,
                    "created_at": self.moment(
                        FIRST_DAY - timedelta(days=400), FIRST_DAY + timedelta(days=300)
                    ),
                }
            )
        return _numbered(sorted(made, key=lambda row: row["created_at"]))

    def company(self) -> str | None:
        """A company's name, for some."""
        if self.random.random() > 0.17:
            return None
        return f"{self.random.choice(COMPANY_WORDS)} {self.random.choice(COMPANY_ENDS)}"

    def birthday(self) -> date | None:
        """A day of birth, where the customer told it."""
        if self.random.random() > 0.6:
            return None
        return date(1948, 1, 1) + timedelta(days=self.random.randrange(58 * 365))

    def products(self) -> list[dict[str, Any]]:
        """The list above, with stock numbers."""
        start = FIRST_DAY - timedelta(days=380)
        return _numbered(
            {
                "sku": f"{category[:3].upper()}-{1000 + 7 * number}",
                "name": name,
                "category": category,
                "price": Decimal(price),
                "stock": self.random.choice((0, 3, 12, 40, 85, 160, 240)),
                "weight_kg": weight,
                "active": number % 17 != 16,
                "attributes": attributes,
                "created_at": start + timedelta(days=3 * (number // 5), hours=9, minutes=number % 5),
            }
            for number, (name, category, price, weight, attributes) in enumerate(PRODUCTS)
        )

    def orders(self, customers: list[dict[str, Any]], products: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Orders of a year: some customers buy often, some never; recent ones are still on their way."""
        eager = [self.random.paretovariate(1.3) for _ in customers]
        made = []
        while len(made) < ORDERS:
            customer = self.random.choices(customers, eager)[0]
            placed = self.moment(FIRST_DAY, LAST_DAY)
            if placed < customer["created_at"]:
                continue
            items = self.items(products)
            shipping = (
                Decimal("0.00") if sum(i["price"] * i["quantity"] for i in items) >= 80 else Decimal("5.90")
            )
            made.append(
                {
                    "customer": customer["id"],
                    "status": self.status(placed),
                    "items": items,
                    "shipping": shipping,
                    "total": sum((i["price"] * i["quantity"] for i in items), shipping),
                    "note": self.one_of(
                        ((" ", 90), ("Please ring twice.", 4), ("Gift, no invoice inside.", 6))
                    ).strip()
                    or None,
                    "created_at": placed,
                }
            )
        made = _numbered(sorted(made, key=lambda row: row["created_at"]))
        return [{**row, "number": f"S{row['created_at']:%y%m}-{row['id']:05d}"} for row in made]

    def items(self, products: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One to five products at the price of that day."""
        chosen = self.random.sample(products, self.random.choice((1, 1, 1, 2, 2, 3, 4, 5)))
        return [
            {
                "product": product["id"],
                "quantity": self.random.choice((1, 1, 1, 1, 2, 2, 3, 6)),
                "price": product["price"],
            }
            for product in chosen
        ]

    def status(self, placed: datetime) -> str:
        """What has become of an order by the last day."""
        if placed > LAST_DAY - timedelta(days=4):
            return self.one_of((("pending", 5), ("paid", 4), ("cancelled", 1)))
        if placed > LAST_DAY - timedelta(days=12):
            return self.one_of((("paid", 2), ("shipped", 6), ("delivered", 2), ("cancelled", 1)))
        return self.one_of((("delivered", 88), ("cancelled", 7), ("returned", 5)))


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain.lower().replace(" ", "-")


def _numbered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": number, **row} for number, row in enumerate(rows, start=1)]


def cell(value: Any) -> str:
    """A value as a cell: nothing for null, JSON for lists and objects."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case datetime():
            return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case list() | dict():
            return as_json(value)
        case _:
            return str(value)


def as_json(value: Any) -> str:
    """Compact JSON in which prices keep their two digits."""
    match value:
        case dict():
            return "{" + ",".join(f"{as_json(key)}:{as_json(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ",".join(map(as_json, value)) + "]"
        case Decimal():
            return str(value)
        case _:
            return json.dumps(value, ensure_ascii=False)


def quoted(text: str) -> str:
    """A cell as CSV (RFC 4180)."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def write(table: str, rows: list[dict[str, Any]]) -> None:
    """One file, one record a line."""
    columns = COLUMNS[table]
    lines = [",".join(columns), *(",".join(quoted(cell(row.get(c))) for c in columns) for row in rows)]
    (RECORDS / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{table}: {len(rows)}")


def main() -> None:
    """Write the three files."""
    RECORDS.mkdir(exist_ok=True)
    generator = Generator()
    customers, products = generator.customers(), generator.products()
    write("customers", customers)
    write("products", products)
    write("orders", generator.orders(customers, products))


if __name__ == "__main__":
    main()
