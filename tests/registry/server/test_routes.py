"""Paths and what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.registry.server.routes import Kind, Route, route_of


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v2/", Route(kind=Kind.BASE)),
        ("/v2", Route(kind=Kind.BASE)),
        ("/v2/_catalog", Route(kind=Kind.CATALOG)),
        ("/v2/a/b/tags/list", Route(kind=Kind.TAGS, repository="a/b")),
        ("/v2/a/blobs/uploads/", Route(kind=Kind.UPLOADS, repository="a")),
        ("/v2/a/blobs/uploads", Route(kind=Kind.UPLOADS, repository="a")),
        ("/v2/a/blobs/uploads/x", Route(kind=Kind.UPLOAD, repository="a", reference="x")),
        ("/v2/a/blobs/sha256:1", Route(kind=Kind.BLOB, repository="a", reference="sha256:1")),
        ("/v2/a/manifests/v1", Route(kind=Kind.MANIFEST, repository="a", reference="v1")),
        ("/v2/a/referrers/x", Route(kind=Kind.REFERRERS, repository="a", reference="x")),
        (
            "/v2/blobs/manifests/tags/manifests/v1",
            Route(kind=Kind.MANIFEST, repository="blobs/manifests/tags", reference="v1"),
        ),
    ],
)
def test_every_endpoint_is_recognised(path: str, route: Route) -> None:
    assert route_of(path) == route


@pytest.mark.parametrize(
    "path", ["/", "/v1/", "/v2/a", "/v2//blobs", "/v2/tags/list", "/v2/a/manifests/", "/v2/a/b/c"]
)
def test_other_paths_have_no_meaning(path: str) -> None:
    assert route_of(path) is None


@given(st.text())
def test_no_path_makes_it_fail(path: str) -> None:
    route = route_of("/v2/" + path)
    assert route is None or isinstance(route.kind, Kind)
