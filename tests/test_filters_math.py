"""Numbers: kinds that mix, exact decimals, ranges, rounding as people do it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.filtering import piped, refused


def test_whole_numbers_decimals_and_floats_mix_as_in_operators() -> None:
    price = Decimal("0.10")
    assert piped("price | add(1)", price=price) == Decimal("1.10")
    assert isinstance(piped("price | multiply(3)", price=price), Decimal)
    assert isinstance(piped("price | multiply(0.5)", price=price), float)
    assert isinstance(piped("[1, price] | sum", price=price), Decimal)
    assert isinstance(piped("[0.5, price] | sum", price=price), float)
    assert isinstance(piped("[1, 2] | sum"), int)


def test_sums_and_averages_of_decimals_are_exact() -> None:
    prices = [Decimal("0.1")] * 10
    assert piped("prices | sum", prices=prices) == Decimal("1.0")
    assert piped("prices | avg", prices=prices) == Decimal("0.1")
    assert piped("prices | product", prices=prices[:3]) == Decimal("0.001")


def test_a_sum_of_floats_is_rounded_once() -> None:
    assert piped("list | sum", list=[0.1] * 10) == 1.0


def test_empty_lists_have_a_sum_but_no_average_and_no_smallest() -> None:
    assert piped("[] | sum") == 0
    assert piped("[] | product") == 1
    for name in ("avg", "array_min", "array_max"):
        assert piped(f"[] | {name}") is None


def test_the_smallest_of_texts_and_of_a_mixture() -> None:
    assert piped('["b", "a"] | array_min') == "a"
    assert piped("[price, 0.2, 1] | array_max", price=Decimal("1.5")) == Decimal("1.5")
    assert "compares" in refused('["b", 1] | array_min').message


@pytest.mark.parametrize(
    "source",
    [
        "9223372036854775807 | add(1)",
        "9223372036854775807 | multiply(9223372036854775807)",
        "[9223372036854775807, 1] | sum",
        "[4294967296, 4294967296] | product",
        "2 | pow(64)",
        "2 | pow(1000000000000)",
        "1.5e300 | multiply(1.5e300)",
        "10.5 | pow(400)",
        "1e300 | ceil",
        "1000 | exp",
        "0 | divide(0)",
        "1 | modulus(0)",
        "(-1) | sqrt",
        "0 | ln",
        "(-8) | pow(0.5)",
        "0 | pow(-1)",
        "2 | asin",
        "8 | log(1)",
        "8 | log(0)",
        "0.5 | acosh",
        "2 | atanh",
        "1 | round(31)",
        "1 | number_format(-1)",
        "(-1) | dechex",
        '"fg" | hexdec',
        '"" | bindec',
        '"0x1f" | hexdec',
        '"1_0" | octdec',
        '"ffffffffffffffffff" | hexdec',
        '"ff" | base_convert(16, 37)',
    ],
)
def test_what_has_no_value_is_refused(source: str) -> None:
    assert refused(source).code == "EXPRESSION_FAILED"


def test_halves_are_rounded_away_from_zero() -> None:
    assert [piped(f"({n}) | round") for n in ("0.5", "1.5", "2.5", "-2.5", "2.4999")] == [1, 2, 3, -3, 2]
    assert piped("1.005 | round(2)") == 1.01
    assert piped("price | round(1)", price=Decimal("2.25")) == Decimal("2.3")
    assert isinstance(piped("2.5 | round"), int)
    assert isinstance(piped("7 | round(2)"), int)


def test_floor_and_ceil_give_whole_numbers_of_every_kind() -> None:
    for value in (2.5, Decimal("2.5")):
        assert piped("value | floor", value=value) == 2
        assert piped("value | ceil", value=value) == 3
    assert piped("(-2.5) | floor") == -3
    assert isinstance(piped("value | floor", value=Decimal("2.5")), int)


def test_the_remainder_has_the_sign_of_the_divisor_for_decimals_too() -> None:
    assert piped("(-7) | modulus(3)") == 2
    assert piped("value | modulus(3)", value=Decimal(-7)) == 2


def test_powers_stay_exact_where_they_can() -> None:
    assert piped("3 | pow(39)") == 3**39
    assert piped("value | pow(2)", value=Decimal("1.1")) == Decimal("1.21")
    assert piped("(-8) | pow(3)") == -512
    assert piped("2 | pow(-1)") == 0.5


def test_numbers_are_written_for_people() -> None:
    assert piped("0.5 | number_format") == "1"
    assert piped("(-0.001) | number_format(2)") == "0.00"
    assert piped("value | number_format(2, ',', ' ')", value=Decimal("-1234567.005")) == "-1 234 567,01"
    assert piped("999.999 | number_format(2)") == "1,000.00"
