"""A limit counts each address by itself, lets go in time, and never grows; an address is what nobody but our proxy can say."""

import pytest
from aiohttp.test_utils import make_mocked_request

from cli.limits import Addresses, Limit, network


def test_a_burst_is_let_through_and_then_one_at_a_time() -> None:
    limit = Limit(burst=3, per_second=0.5)
    assert [limit.wait("a", 100.0) for _ in range(4)] == [0, 0, 0, 2]
    assert limit.wait("a", 101.0) == 1
    assert limit.wait("a", 102.0) == 0
    assert limit.wait("a", 102.0) == 2
    assert [limit.wait("a", 200.0) for _ in range(4)] == [0, 0, 0, 2]


def test_whoever_waits_as_long_as_told_is_let_through() -> None:
    limit, now = Limit(burst=2, per_second=0.3), 0.0
    for _ in range(50):
        now += limit.wait("a", now)
        assert limit.wait("a", now) == 0


def test_one_address_takes_nothing_from_another() -> None:
    limit = Limit(burst=1, per_second=1)
    assert [limit.wait(who, 5.0) for who in "aabb"] == [0, 1, 0, 1]


def test_forged_addresses_make_it_forget_and_never_grow() -> None:
    limit = Limit(burst=1, per_second=0.001, most=100)
    for number in range(10_000):
        assert limit.wait(f"2001:db8:{number:x}::/64", 1.0) == 0
    assert len(limit) == 100
    assert limit.wait("2001:db8:270f::/64", 1.0) == 1_000  # the latest are still counted


def test_whoever_asks_all_the_time_is_not_forgotten_for_those_who_asked_once() -> None:
    limit = Limit(burst=50, per_second=0.001, most=3)
    answers = [limit.wait(who, 1.0) for number in range(60) for who in ("busy", f"once {number}")]
    assert [answer > 0 for answer in answers[::2]] == [False] * 50 + [True] * 10


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:4711 ", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:443", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "?"),
        ("_hidden", "?"),
        ("", "?"),
        ("x" * 8_000, "?"),
    ],
)
def test_an_address_is_read_in_every_way_it_is_written(address: str, counts_as: str) -> None:
    assert network(address) == counts_as


@pytest.mark.parametrize(
    ("proxies", "passed", "whose"),
    [
        (0, ["198.51.100.7"], "?"),  # nobody said that there is a proxy: anybody can have written it
        (1, ["198.51.100.7"], "198.51.100.7"),
        (1, ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (1, ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        (2, ["203.0.113.9, 198.51.100.7, 192.0.2.1"], "198.51.100.7"),
        (2, ["198.51.100.7"], "?"),  # past our proxies: the peer itself counts
        (1, [], "?"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(proxies: int, passed: list[str], whose: str) -> None:
    request = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", each) for each in passed])
    assert Addresses(proxies).of(request) == whose


def test_a_proxy_nobody_spoke_of_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    addresses = Addresses(0)
    for _ in range(3):
        addresses.of(make_mocked_request("GET", "/", headers={"X-Forwarded-For": "198.51.100.7"}))
    assert caplog.text.count("KASSOR_TRUSTED_PROXIES") == 1
