"""The strict reader of request bodies."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackyard.core.body import parse_body, parse_json, parse_pairs, read_body
from stackyard.core.errors import Problem


def refused(code: str, text: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        parse_json(text)
    assert caught.value.code == code
    assert caught.value.status == 400
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"[-1e999]",
        b'{"a":1}x',
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        '{"a": 1}'.encode("utf-16"),
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'"a\tb"',
        b"01",
        b"[18446744073709551616]",
        b"[-9223372036854775809]",
        b"123456789012345678901234567890",
        b"[" + b"9" * 5000 + b"]",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 1000 + b"]" * 1000,
        b'"\\u0000"',
        b'{"a\\u0000b":1}',
    ],
)
def test_what_is_not_strict_json_is_refused(text: bytes) -> None:
    refused("INVALID_JSON", text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'[{"x":{"a":1,"b":{},"a":2}}]',
        b'{"a":":::","a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":1,"a":"\\u003a"}',
        b'{"a":{"b":":"},"a":{"b":"\\u003A"}}',
        b"[" + b"{}," * 100 + b'{"k":1,"k":1}]',
    ],
)
def test_a_key_that_comes_twice_is_refused_by_name(text: bytes) -> None:
    assert "twice" in refused("INVALID_JSON", text).message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b' {"a": [1, 2.5, "x:y"]} ', {"a": [1, 2.5, "x:y"]}),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b"[1e300, 18446744073709551616.5]", [1e300, 18446744073709551616.5]),
        (b"[" * 64 + b"]" * 64, None),
        (b'{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}', {"a": {"a": {"a": 1}}, "b": [{"a": 1}, {"a": 2}]}),
        (b'["\\u003a", "\\\\u0000", "\xc3\xa9"]', [":", "\\u0000", "\u00e9"]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_strict_json_is_read(text: bytes, value: Any) -> None:
    read = parse_json(text)
    assert value is None or read == value


def test_the_message_says_where() -> None:
    assert "line 2, column 3" in refused("INVALID_JSON", b'{"a": 1,\n  x}').message


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text().filter(lambda t: "\0" not in t),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=5).filter(lambda t: "\0" not in t), inner, max_size=5)
    ),
    max_leaves=40,
)


@given(json_values, st.booleans())
def test_everything_the_standard_library_writes_is_read_back(value: Any, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


@given(json_values, st.booleans())
def test_a_doubled_key_is_found_wherever_it_stands(value: Any, escaped: bool) -> None:
    inner = json.dumps(value, ensure_ascii=escaped)
    refused("INVALID_JSON", f'[{inner}, {{"k": {inner}, "k": {inner}}}, {inner}]'.encode())


class Drip(io.RawIOBase):
    """A stream that gives a few bytes at a time and counts them, as a chunked body may."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.given = 0

    def read(self, size: int = -1) -> bytes:  # type: ignore[override]
        count = min(self.left, 7000 if size < 0 else min(size, 7000))
        self.left -= count
        self.given += count
        return b"x" * count


def environ(stream: Any, **more: Any) -> dict[str, Any]:
    return {"wsgi.input": stream, **more}


def test_a_body_is_read_whole_though_it_comes_in_pieces() -> None:
    assert len(read_body(environ(Drip(100_000), CONTENT_LENGTH="100000"), 200_000)) == 100_000
    assert len(read_body(environ(Drip(100_000), HTTP_TRANSFER_ENCODING="chunked"), 200_000)) == 100_000
    assert read_body(environ(Drip(100)), 1000) == b""


def test_the_limit_is_exact() -> None:
    assert len(read_body(environ(Drip(1000), CONTENT_LENGTH="1000"), 1000)) == 1000
    assert len(read_body(environ(Drip(1000), HTTP_TRANSFER_ENCODING="chunked"), 1000)) == 1000


@pytest.mark.parametrize("length", ["1001", "99999999999", "9" * 100])
def test_a_stated_length_past_the_limit_is_refused_before_a_byte_is_read(length: str) -> None:
    stream = Drip(10_000)
    with pytest.raises(Problem) as caught:
        read_body(environ(stream, CONTENT_LENGTH=length), 1000)
    assert (caught.value.code, caught.value.status, stream.given) == ("PAYLOAD_TOO_LARGE", 413, 0)


def test_a_chunked_body_past_the_limit_is_read_one_byte_past_it_and_no_further() -> None:
    stream = Drip(10**9)
    with pytest.raises(Problem) as caught:
        read_body(environ(stream, HTTP_TRANSFER_ENCODING="chunked"), 10_000)
    assert caught.value.status == 413
    assert stream.given == 10_001


@pytest.mark.parametrize("length", ["-1", "1e3", "ten", "\u0661"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    with pytest.raises(Problem) as caught:
        read_body(environ(Drip(10), CONTENT_LENGTH=length), 1000)
    assert caught.value.status == 400


def test_a_body_shorter_than_stated_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        read_body(environ(Drip(10), CONTENT_LENGTH="20"), 1000)
    assert caught.value.status == 400


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_not_taken(encoding: str) -> None:
    with pytest.raises(Problem) as caught:
        read_body(environ(Drip(10), CONTENT_LENGTH="10", HTTP_CONTENT_ENCODING=encoding), 1000)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=UTF-8",
        'Application/JSON;charset="utf8"',
        "application/vnd.shop+json",
        "",
    ],
)
def test_json_is_taken_under_its_names(content_type: str) -> None:
    assert parse_body(b'{"a":1}', content_type) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/json; charset=utf-7",
        "application/json; charset=latin-1",
        "image/png",
        "json",
    ],
)
def test_other_types_and_charsets_are_not_taken(content_type: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_body(b"{}", content_type)
    assert (caught.value.code, caught.value.status) == ("UNSUPPORTED_MEDIA_TYPE", 415)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&a=2", {"a": ["1", "2"]}),
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a%5B%5D=1&a=2", {"a": ["1", "2"]}),
        ("a=&b", {"a": "", "b": ""}),
        ("a=1+2%20%2B%C3%A9", {"a": "1 2 +\u00e9"}),
        ("&&a=1&", {"a": "1"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_queries_and_forms_are_read(text: str, pairs: dict[str, Any]) -> None:
    assert parse_pairs(text) == pairs
    assert parse_body(text.encode(), "application/x-www-form-urlencoded") == pairs


@pytest.mark.parametrize("text", ["a=%FF", "a=%00", "%ED%A0%80=1", "&".join("a=1" for _ in range(1001))])
def test_bad_queries_are_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_pairs(text)
    assert caught.value.status == 400


def multipart(*parts: tuple[str, bytes]) -> bytes:
    made = b"".join(
        b'--cut\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n' + value + b"\r\n"
        for name, value in parts
    )
    return made + b"--cut--\r\n"


def test_multipart_forms_are_read() -> None:
    body = multipart(("name", "Ann\u00e9".encode()), ("tags[]", b"a"), ("tags[]", b"b"))
    read = parse_body(body, "multipart/form-data; boundary=cut")
    assert read == {"name": "Ann\u00e9", "tags": ["a", "b"]}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (multipart(("a", b"\xff")), "multipart/form-data; boundary=cut"),
        (multipart(("a", b"x\0y")), "multipart/form-data; boundary=cut"),
        (multipart(*[("a", b"1")] * 1001), "multipart/form-data; boundary=cut"),
        (b"x", "multipart/form-data"),
        (b"x", "multipart/form-data; boundary=" + "a" * 300),
    ],
)
def test_bad_forms_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_body(body, content_type)
    assert caught.value.status == 400
