"""The report blueprint over HTTP, and the steps that encrypt and sign."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from endpoints.blueprints import apply_blueprint
from stackyard.core import sealing
from stackyard.core.errors import Problem
from stackyard.core.models import Workspace
from tests.calling import expression, line
from tests.doors import Door
from tests.factories import make_endpoint, make_group, make_key, make_store

KEY = "a secret of at least thirty-two bytes"


@pytest.mark.django_db(databases=["default", "history"])
def test_a_report_counts_and_sums_by_period_as_json_and_csv(workspace: Workspace, client: Door) -> None:
    store = make_store(
        workspace,
        orders={"total": "decimal", "status": {"type": "enum", "values": ["open", "paid"]}, "due": "date"},
    )
    rows = [
        ("2026-01-31T23:30:00Z", "10.00", "open", "2026-02-01"),
        ("2026-02-10T10:00:00Z", "5.50", "paid", "2026-02-02"),
        ("2026-02-11T10:00:00Z", "2.00", "paid", "2026-05-01"),
    ]
    store.import_many("orders", [{"created_at": c, "total": t, "status": s, "due": d} for c, t, s, d in rows])
    group = make_group(workspace)
    asked = {"sum": "total", "by": "status", "time_zone": "Europe/Berlin"}
    apply_blueprint(group, "report", "orders", options=asked)
    door = client.with_key(make_key(workspace))
    url = "/api:shop/reports/orders"
    items = door.get(url).json()["items"]
    assert [(one["status"], one["records"], one["sum"]) for one in items] == [
        ("open", 1, 10),
        ("paid", 2, 7.5),
    ]
    assert items[0]["period"] == "2026-02-01"
    assert door.get(f"{url}?period=year&to=2026-02-01T00:00:00Z").json()["items"] == [
        {"period": "2026-01-01", "status": "open", "records": 1, "sum": 10, "average": 10}
    ]
    answer = door.get(f"{url}?format=csv&period=quarter")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "orders.csv" in answer.headers["content-disposition"]
    lines = answer.body.decode().splitlines()
    assert lines[0] == "period,status,records,sum,average"
    assert lines[1].startswith("2026-01-01,open,1,10")
    assert door.get(f"{url}?period=decade").status == 400
    plain = make_group(workspace, "plain")
    apply_blueprint(plain, "report", "orders", options={"date": "due"})
    items = door.get(f"/api:{plain.canonical}/reports/orders?from=2026-02-02").json()["items"]
    assert items == [{"period": "2026-02-01", "records": 1}, {"period": "2026-05-01", "records": 1}]
    for options in ({"sum": "status"}, {"by": "nothing"}, {"date": "total"}):
        with pytest.raises(Problem) as caught:
            apply_blueprint(group, "report", "orders", options=options)
        assert caught.value.code == "INVALID_INPUT"


def test_what_is_encrypted_comes_back_only_unchanged_and_with_the_same_key() -> None:
    value: Any = {"card": "4111", "n": [1, None, "ä"]}
    sealed = sealing.encrypt(value, KEY, "order 7")
    assert sealed != sealing.encrypt(value, KEY, "order 7")
    assert "4111" not in sealed
    assert sealing.decrypt(sealed, KEY, "order 7") == value
    changed = sealed[:-3] + ("AAA" if sealed[-3:] != "AAA" else "BBB")
    for text, key, context in (
        (sealed, KEY, "order 8"),
        (sealed, KEY + "x", "order 7"),
        (changed, KEY, "order 7"),
        (sealed[:20], KEY, "order 7"),
        ("v1.", KEY, ""),
        ("v1.ä", KEY, ""),
        ("", KEY, ""),
        (None, KEY, ""),
        (7, KEY, ""),
    ):
        with pytest.raises(Problem) as caught:
            sealing.decrypt(text, key, context)
        assert caught.value.code == "DECRYPTION_FAILED"
    for key in ("short", None, 7, ""):
        with pytest.raises(Problem) as caught:
            sealing.encrypt(1, key)
        assert caught.value.code == "INVALID_INPUT"


def test_what_is_signed_is_verified_by_the_named_algorithm_only() -> None:
    token = sealing.sign({"order": 7, "sub": 5}, KEY, "HS256", 60)
    assert sealing.verify(token, KEY, "HS256")["order"] == 7
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    far = sealing.sign({"order": 8}, pem, "EdDSA", None)
    assert sealing.verify(far, public, "EdDSA") == {"order": 8}
    none = "eyJhbGciOiJub25lIn0.eyJvcmRlciI6N30."
    for text, key, algorithm in (
        (token, KEY, "HS512"),
        (token, KEY + "x", "HS256"),
        (none, KEY, "HS256"),
        (token[:-2], KEY, "HS256"),
        (sealing.sign({}, KEY, "HS256", -10), KEY, "HS256"),
        (far, KEY, "HS256"),
        ("x", KEY, "HS256"),
        (None, KEY, "HS256"),
    ):
        with pytest.raises(Problem) as caught:
            sealing.verify(text, key, algorithm)
        assert (caught.value.code, caught.value.status) == ("INVALID_SIGNATURE", 401)
    # A public key is no secret: whoever signs with it as a text must not get through.
    for key, algorithm in ((KEY, "RS256"), (public, "HS256")):
        with pytest.raises(Problem):
            sealing.sign({"a": 1}, key, algorithm, None)
    with pytest.raises(Problem):
        sealing.sign(["a"], KEY, "HS256", None)


@pytest.mark.django_db(databases=["default", "history"])
def test_the_steps_take_their_keys_from_secret_variables(workspace: Workspace, client: Door) -> None:
    from stackyard.core.workspaces import create_variable

    create_variable(workspace, "MY_KEY", KEY, is_secret=True)
    key = expression("env.MY_KEY")
    make_endpoint(
        make_group(workspace),
        "/turn",
        inputs={"text": {"type": "text"}},
        lines=[
            {**line("encrypt", value=expression("input.text"), key=key), "as": "sealed"},
            {**line("decrypt", value=expression("sealed"), key=key), "as": "opened"},
            {**line("sign", payload={"text": expression("opened")}, key=key), "as": "token"},
            {**line("verify", token=expression("token"), key=key), "as": "payload"},
        ],
        response=expression("payload.text"),
    )
    assert client.get("/api:shop/turn?text=hello").json() == "hello"
