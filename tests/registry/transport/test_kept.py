"""When connections are kept for the next request."""

from __future__ import annotations

from longshore.registry.transport.kept import KeptConnections

HOST = "r.example"


def test_a_host_whose_kept_connections_die_again_and_again_gets_new_ones() -> None:
    kept = KeptConnections()
    for allowed in (True, True, False):
        kept.answered(HOST, kept=False)
        assert kept.may_be_kept(HOST) is allowed
        kept.died(HOST, kept=True)
    assert kept.may_be_kept("other.example")


def test_a_host_that_drops_all_at_once_is_not_such_a_one() -> None:
    """As when it is begun anew."""
    kept = KeptConnections()
    kept.answered(HOST, kept=False)
    for _ in range(8):
        kept.died(HOST, kept=True)
    assert kept.may_be_kept(HOST)


def test_connections_that_serve_twice_are_trusted_again() -> None:
    kept = KeptConnections()
    for _ in range(5):
        kept.answered(HOST, kept=False)
        kept.died(HOST, kept=True)
        kept.answered(HOST, kept=True)
    assert kept.may_be_kept(HOST)


def test_new_connections_that_break_say_nothing_of_kept_ones() -> None:
    kept = KeptConnections()
    for _ in range(5):
        kept.answered(HOST, kept=False)
        kept.died(HOST, kept=False)
    assert kept.may_be_kept(HOST)
