"""The way to the registry is the cheapest one, and says why."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from longshore.image.choose import Route, Situation, choose

MB = 1_000_000
REFUSED = "/var/lib/docker may only be read by root"
sizes = st.lists(st.integers(0, 5_000 * MB), max_size=20).map(tuple)


@given(sizes, st.integers(1, 64), st.booleans())
def test_a_readable_store_always_wins(layers: tuple[int, ...], cores: int, packed: bool) -> None:
    situation = Situation(layer_sizes=layers, missing=layers, cores=cores, packed_store=packed)
    assert choose(situation).route is Route.STORE


def test_a_cold_push_of_one_large_layer_goes_through_the_export() -> None:
    choice = choose(
        Situation(layer_sizes=(900 * MB,), missing=(900 * MB,), cores=2, store_refusal=REFUSED)
    )
    assert choice.route is Route.EXPORT
    assert REFUSED in choice.reason
    assert "engine's own push" in choice.reason


def test_a_small_layer_on_a_known_base_is_pushed_by_the_engine() -> None:
    choice = choose(
        Situation(
            layer_sizes=(900 * MB, 10 * MB), missing=(10 * MB,), cores=2, store_refusal=REFUSED
        )
    )
    assert choice.route is Route.ENGINE_PUSH
    assert "10 of 910 MB" in choice.reason


def test_nothing_missing_is_never_exported() -> None:
    choice = choose(Situation(layer_sizes=(900 * MB,), missing=(), cores=2, store_refusal=REFUSED))
    assert choice.route is Route.ENGINE_PUSH


def test_a_store_that_the_engine_reads_for_us_wins_over_the_export() -> None:
    choice = choose(
        Situation(
            layer_sizes=(900 * MB, 100 * MB),
            missing=(100 * MB,),
            cores=2,
            store_refusal=REFUSED,
            engine_reads=True,
        )
    )
    assert choice.route is Route.THROUGH_ENGINE
    assert "through the engine to send 100 of 1000 MB" in choice.reason
    assert "by exporting the image" in choice.reason
    assert "by the engine's own push" in choice.reason


def test_many_small_layers_are_exported_and_not_read_one_by_one() -> None:
    layers = (5 * MB,) * 60
    situation = Situation(
        layer_sizes=layers, missing=layers, cores=2, store_refusal=REFUSED, engine_reads=True
    )
    assert choose(situation).route is Route.EXPORT


def test_a_tiny_layer_is_left_to_an_engine_that_knows_the_rest() -> None:
    layers = (400 * MB, 1000)
    known = Situation(
        layer_sizes=layers, missing=layers[1:], cores=2, store_refusal=REFUSED, engine_reads=True
    )
    assert choose(known).route is Route.ENGINE_PUSH
    assert choose(replace(known, engine_missing=layers)).route is Route.THROUGH_ENGINE


@given(sizes, st.integers(1, 64), st.booleans())
def test_without_the_store_the_choice_is_never_the_dearer_way(
    layers: tuple[int, ...], cores: int, packed: bool
) -> None:
    def at(engine_reads: bool) -> float:
        situation = Situation(
            layer_sizes=layers,
            missing=layers[1:],
            cores=cores,
            packed_store=packed,
            store_refusal=REFUSED,
            engine_reads=engine_reads,
        )
        return choose(situation).seconds

    assert at(engine_reads=True) <= at(engine_reads=False)


def test_layers_the_registry_has_in_our_packing_are_sent_again_by_the_engine() -> None:
    layers = (300 * MB, MB)
    ours = Situation(
        layer_sizes=layers,
        missing=layers[1:],
        engine_missing=layers,
        cores=2,
        store_refusal=REFUSED,
    )
    assert choose(ours).route is Route.EXPORT
    assert choose(replace(ours, engine_missing=layers[1:])).route is Route.ENGINE_PUSH


def test_an_engine_that_has_nothing_to_send_pushes_however_much_we_would() -> None:
    """None is for what is not known; nothing missing is known."""
    layers = (900 * MB,)
    known = Situation(
        layer_sizes=layers, missing=layers, engine_missing=(), cores=2, store_refusal=REFUSED
    )
    unknown = replace(known, engine_missing=None)
    assert choose(known).route is Route.ENGINE_PUSH
    assert choose(known).seconds < 0.1
    assert choose(unknown).seconds > 5
