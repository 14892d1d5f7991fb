"""Link variables are made by us, since engines no longer make them (spec S-30)."""

from __future__ import annotations

from longshore.engine.spec import ImageInfo
from longshore.run.links import link_variables


def _image(**fields: tuple[object, ...]) -> ImageInfo:
    empty = dict.fromkeys(("environment", "exposed_ports", "volumes", "diff_ids"), ())
    values = {**empty, "repo_digests": (), **fields}
    return ImageInfo(id="sha256:0", size=0, created="", **values)  # type: ignore[arg-type]  # built from names


def test_a_linked_redis_gives_the_documented_variables() -> None:
    image = _image(
        environment=(("REDIS_VERSION", "6"), ("PATH", "/bin")), exposed_ports=("6379/tcp",)
    )
    assert dict(link_variables("web", "redis", image, ())) == {
        "REDIS_NAME": "/web/redis",
        "REDIS_PORT": "tcp://redis:6379",
        "REDIS_PORT_6379_TCP": "tcp://redis:6379",
        "REDIS_PORT_6379_TCP_ADDR": "redis",
        "REDIS_PORT_6379_TCP_PORT": "6379",
        "REDIS_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_ENV_REDIS_VERSION": "6",
    }


def test_an_alias_with_dashes_and_dots_becomes_a_variable_name() -> None:
    names = [name for name, _ in link_variables("web", "my-db.local", _image(), ())]
    assert names == ["MY_DB_LOCAL_NAME"]


def test_the_port_of_a_service_with_several_is_the_lowest_and_tcp_before_udp() -> None:
    """As engines chose it (Docker, ``links.Link.ToEnv``)."""
    image = _image(exposed_ports=("10000/tcp", "53/udp", "53/tcp", "8080/tcp"))
    assert dict(link_variables("web", "db", image, ()))["DB_PORT"] == "tcp://db:53"
