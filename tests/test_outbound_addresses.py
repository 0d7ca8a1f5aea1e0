"""Requests to other servers reach the public internet only, however an address is written and however it is come by."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from django.core.checks import run_checks

from stackyard.core.errors import Problem
from stackyard.core.outbound import request
from stackyard.core.outbound.addresses import allowed_networks, is_public, may_use_port
from stackyard.core.outbound.hosts import may_call_host
from tests.outside import OTHER, PUBLIC, Answer, Outside, Server

# The loopback address and a metadata service, as reliability.md §2.1 tried them; {port} is the inner server's.
SPELLINGS = (
    "http://127.0.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11:{port}/",  # full-width digits
    "http://public.example@127.0.0.1:{port}/",
    "http://public.example%2f@127.0.0.1:{port}/",
    "http://public.example\\@127.0.0.1:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b::a9fe:a9fe]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
)
REFUSALS = {"ADDRESS_REFUSED", "REQUEST_INVALID", "REQUEST_FAILED"}


@pytest.fixture
def inner(outside: Outside) -> Server:
    """A server that only this machine should reach; its hits are its `received`."""
    return outside.serve_inside(lambda _: Answer(200, b"secret"))


def refusal(url: str, **more: Any) -> Problem:
    """The Problem of a request that must not go through."""
    with pytest.raises(Problem) as caught:
        request(more.pop("method", "GET"), url, timeout=5, **more)
    return caught.value


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_of_an_inner_address_is_called(outside: Outside, inner: Server, spelling: str) -> None:
    assert refusal(spelling.format(port=inner.port)).code in REFUSALS
    assert refusal(spelling.format(port=inner.port), method="HEAD").code in REFUSALS
    assert inner.received == []
    assert outside.dialled == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_redirect_leads_to_an_inner_address(
    outside: Outside, inner: Server, spelling: str, status: int
) -> None:
    location = spelling.format(port=inner.port).encode().decode("latin-1")
    outside.serve("public.example", lambda _: Answer(status, headers={"Location": location}))
    assert refusal("http://public.example/", method="POST", body={"a": 1}).code in REFUSALS
    assert inner.received == []
    # One spelling is, in urllib3's reading, a path of the public server: its redirects go on until there are too many.
    assert set(outside.dialled) == {PUBLIC}


def test_a_chain_of_redirects_is_checked_to_its_end(outside: Outside, inner: Server) -> None:
    last = Answer(302, headers={"Location": f"http://127.0.0.1:{inner.port}/"})
    outside.serve("one.example", lambda _: Answer(301, headers={"Location": "http://two.example/"}))
    outside.serve("two.example", lambda _: last, OTHER)
    assert refusal("http://one.example/").code == "ADDRESS_REFUSED"
    assert inner.received == []


def test_a_name_is_asked_for_once_and_what_it_gave_is_dialled(outside: Outside, inner: Server) -> None:
    server = outside.serve("rebinding.example", lambda _: Answer(200, b"outer"))
    outside.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert request("GET", f"http://rebinding.example:{inner.port}/").body == b"outer"
    assert outside.asked == ["rebinding.example"]
    assert outside.dialled == [PUBLIC]
    assert (len(server.received), len(inner.received)) == (1, 0)
    # By now the name leads inside, and is asked for again.
    assert refusal(f"http://rebinding.example:{inner.port}/").code == "ADDRESS_REFUSED"
    assert inner.received == []


def test_a_redirect_to_the_same_name_is_looked_up_and_checked_again(outside: Outside, inner: Server) -> None:
    outside.serve("rebinding.example", lambda _: Answer(302, headers={"Location": "/again"}))
    outside.names["rebinding.example"] = [[PUBLIC], ["127.0.0.1"]]
    assert refusal(f"http://rebinding.example:{inner.port}/").code == "ADDRESS_REFUSED"
    assert inner.received == []


@pytest.mark.parametrize(
    "answers", [[PUBLIC, "127.0.0.1"], ["::1", PUBLIC], [PUBLIC, "fd00::1"], ["fec0::1"]]
)
def test_a_name_with_one_address_inside_is_refused_whole(outside: Outside, answers: list[str]) -> None:
    outside.names["mixed.example"] = [answers]
    assert refusal("http://mixed.example/").code == "ADDRESS_REFUSED"
    assert outside.dialled == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://public.example/",
        "file:///etc/passwd",
        "gopher://public.example/",
        "unix:///run/docker.sock",
        "public.example/",
        "//public.example/",
        "http://",
        "http:///path",
        "http://public.example:6379/",
        "http://public.example:22/",
        "http://public.example:0/",
        "http://public.example:99999/",
        "",
    ],
)
def test_only_web_addresses_are_called(outside: Outside, url: str) -> None:
    outside.serve("public.example", lambda _: Answer())
    assert refusal(url).code in {"ADDRESS_REFUSED", "REQUEST_INVALID"}
    assert outside.dialled == []


@pytest.mark.parametrize(
    "location", ["ftp://public.example/", "file:///etc/passwd", "http://public.example:25/", "http://["]
)
def test_redirects_lead_to_web_addresses_only(outside: Outside, location: str) -> None:
    outside.serve("public.example", lambda _: Answer(302, headers={"Location": location}))
    assert refusal("http://public.example/").code == "ADDRESS_REFUSED"


def test_a_refusal_is_an_error_that_names_the_host_and_no_address(outside: Outside) -> None:
    outside.names["intranet.example"] = [["10.1.2.3"]]
    problem = refusal("http://intranet.example/secret?key=123")
    assert (problem.code, problem.status) == ("ADDRESS_REFUSED", 422)
    assert "intranet.example" in problem.message
    assert "10.1.2.3" not in f"{problem.message} {problem.suggestion}"
    assert "key" not in problem.message


def test_an_administrator_can_allow_a_network(outside: Outside, inner: Server, settings: Any) -> None:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/30"]
    assert request("GET", f"http://127.0.0.1:{inner.port}/").body == b"secret"
    assert refusal("http://127.0.0.9/").code == "ADDRESS_REFUSED"
    assert refusal(f"http://[::1]:{inner.port}/").code == "ADDRESS_REFUSED"


def test_nobody_can_allow_everything() -> None:
    for text in ("0.0.0.0/0", "::/0", "10.0.0.0/7", "fc00::/6", "everything", "10.0.0.1/8"):
        with pytest.raises(ValueError, match=r"\S"):
            allowed_networks((text,))
    assert allowed_networks(("10.0.0.0/8", "fd00::/8", "192.168.7.7"))


def test_an_administrator_can_say_which_ports_may_be_called(settings: Any) -> None:
    assert [may_use_port(port) for port in (80, 443, 8443, 25, 22, 5432, 65535)] == [
        *(True, True, True, False, False, False, True)
    ]
    settings.OUTBOUND_PORTS = "443, 8000-8080"
    assert [may_use_port(port) for port in (80, 443, 7999, 8000, 8080, 8081)] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254"),
        *("168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1"),
        *(
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.1.1.1",
        ),
        *("240.0.0.1", "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:8.8.8.8", "::ffff:127.0.0.1"),
        *("64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "1::1", "2001::1", "2001:0:7f00:1::", "2001:2::1"),
        *(
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "4000::1",
        ),
        *("5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1"),
    ],
)
def test_addresses_off_the_public_internet_are_known(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "2a00:1450::1", "172.32.0.1"]
)
def test_addresses_of_the_public_internet_are_known(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("host", "port", "entry", "may"),
    [
        ("api.example.com", 443, "api.example.com", True),
        ("api.example.com", 8443, "API.example.com", True),
        ("api.example.com.", 443, "api.example.com", True),
        ("api.example.com", 443, "api.example.com:443", True),
        ("api.example.com", 8443, "api.example.com:443", False),
        ("evil-api.example.com", 443, "api.example.com", False),
        ("api.example.com.evil.com", 443, "api.example.com", False),
        ("example.com", 443, "*.example.com", False),
        ("a.b.example.com", 443, "*.example.com", True),
        ("badexample.com", 443, "*.example.com", False),
        ("xn--mnchen-3ya.example", 443, "münchen.example", True),
        ("anything.example", 80, "*", True),
        ("anything.example", 80, "", False),
        ("anything.example", 80, "[", False),
    ],
)
def test_lists_of_hosts(host: str, port: int, entry: str, may: bool) -> None:
    assert may_call_host(host, port, [entry]) is may


def test_a_list_of_hosts_holds_for_redirects_too(outside: Outside) -> None:
    outside.serve("one.example", lambda _: Answer(302, headers={"Location": "http://two.example/"}))
    server = outside.serve("two.example", lambda _: Answer(200, b"two"), OTHER)
    assert refusal("http://one.example/", allowed_hosts=["one.example"]).code == "ADDRESS_REFUSED"
    assert refusal("http://one.example/", allowed_hosts=[]).code == "ADDRESS_REFUSED"
    assert server.received == []
    assert request("GET", "http://one.example/", allowed_hosts=["*.example"]).body == b"two"


def test_the_system_check_tells_of_open_networks_and_of_settings_it_cannot_read(settings: Any) -> None:
    def found() -> list[str]:
        return [message.id or "" for message in run_checks() if (message.id or "").startswith("outbound.")]

    assert found() == []
    settings.OUTBOUND_ALLOW = ["10.0.0.0/8"]
    assert found() == ["outbound.I001"]
    settings.OUTBOUND_ALLOW, settings.OUTBOUND_PORTS = ["0.0.0.0/0"], "http"
    assert found() == ["outbound.E001", "outbound.E002"]
