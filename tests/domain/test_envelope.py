"""An event's envelope: whatever a signed body holds, it is filed right or refused by name, never half read."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.envelope import NotAnEvent, read

GOOD = {"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1_795_000_000}


def event(**data: Any) -> bytes:
    return json.dumps({**GOOD, "data": {"object": data}}).encode()


@pytest.mark.parametrize(
    ("body", "lane"),
    [
        (event(id="in_1", customer="cus_1"), "cus_1"),
        (event(id="in_1", customer={"id": "cus_2", "object": "customer"}), "cus_2"),
        (event(id="cus_3", object="customer"), "cus_3"),
        (event(id="prod_1", customer=None), "prod_1"),
        (event(id=7, customer=["x"]), "evt_1"),
        (event(customer="cus_\x00"), "evt_1"),
        (json.dumps(GOOD).encode(), "evt_1"),
    ],
)
def test_an_event_goes_to_its_customers_lane_or_its_objects_or_its_own(body: bytes, lane: str) -> None:
    assert read(body).lane == lane


def test_only_the_envelopes_own_fields_count_and_the_last_of_two() -> None:
    body = b'{"id":"evt_0","data":{"id":"evt_9","object":{"id":"in_1","created":9}},"type":"t","created":5,"id":"evt_\\u0031"}'
    found = read(body)
    assert (found.id, int(found.created_at.timestamp()), found.lane) == ("evt_1", 5, "in_1")


@pytest.mark.parametrize("text", [r"\u0000", r"\ud800", r"\udfff\ud800", "\u2028", "😀", r"\/"])
def test_what_a_payload_may_hold_is_kept_as_it_came(text: str) -> None:
    body = f'{{"id":"evt_1","type":"t","created":1,"data":{{"object":{{"name":"{text}"}}}}}}'
    assert read(body.encode()).payload == body


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[1]", b"null", b"7", b'"x"', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}"),
        b'{"id":"evt_1","type":"t","created":1} x',
        b'{"id":"evt_1","type":"t","created":1,"x":"\xff"}',
        b'{"id":"evt_1","type":"t","created":1,"x":"\x00"}',
        b'{"id":"evt_1","type":"t","created":1,"x":NaN}',
        b'{"id":"evt_1","type":"t","created":1,"x":01}',
        b'{"id":"evt_\\u0000","type":"t","created":1}',
        b'{"id":"evt_\\ud800","type":"t","created":1}',
        b'{"id":"evt 1","type":"t","created":1}',
        b'{"id":"evt_1","type":"t","created":1e3}',
        b'{"id":"evt_1","type":"t","created":-1}',
        b'{"id":"evt_1","type":"t","created":"\\ud800"}',
        b'{"id":"evt_1","type":"t","created":253402300800}',
        b'{"id":"evt_1","type":"t","created":' + b"9" * 5000 + b"}",
        b'{"id":"evt_1","type":"t","created":1,"data":7}',
        b'{"id":"evt_1","type":"t","created":1,"object":null}',
        b'{"id":"evt_1","type":"t","created":1,"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
)
def test_what_is_no_event_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(NotAnEvent):
        read(body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_almost = st.fixed_dictionaries(
    {}, optional={name: _json | st.just(value) for name, value in {**GOOD, "data": {"object": {}}}.items()}
)


@given(st.binary() | st.text().map(str.encode) | _almost.map(lambda found: json.dumps(found).encode()))
@example(b'{"id":"\\ud83d\\ude00","type":"t","created":1}')
def test_any_body_is_filed_or_refused_and_what_is_filed_can_be_read_again(body: bytes) -> None:
    try:
        found = read(body)
    except NotAnEvent:
        return
    again = json.loads(found.payload)
    assert (found.id, found.type) == (again["id"], again["type"])
    assert found.payload.encode() == body
    assert "\x00" not in found.payload + found.lane


@given(st.data())
def test_a_body_with_a_few_bytes_changed_is_filed_or_refused(data: st.DataObject) -> None:
    body = bytearray(event(id="in_1", customer="cus_1", name='å\n"\\', amount=-1.5e3, lines=[True, None]))
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, len(body) - 1))
        body[where : where + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        found = read(bytes(body))
    except NotAnEvent:
        return
    assert json.loads(found.payload)["id"] == found.id
