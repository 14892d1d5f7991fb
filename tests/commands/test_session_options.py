"""What a session is started with, put together from flags and our environment."""

from __future__ import annotations

import pytest

from longshore.commands.session_options import SessionOptions
from longshore.environment import Environment
from longshore.errors import UsageError

VARIABLE = "LONGSHORE_CACHE_REGISTRY"


@pytest.mark.parametrize(
    ("flag", "variable", "repository"),
    [
        (None, "r.test/cache", "r.test/cache"),
        ("r.test/flag", "r.test/cache", "r.test/flag"),
        ("r.test/flag", None, "r.test/flag"),
        (None, "", None),
        (None, None, None),
    ],
)
def test_the_cache_is_where_the_flag_says_else_the_variable(
    flag: str | None, variable: str | None, repository: str | None
) -> None:
    options = SessionOptions(cache_registry=flag, cache_branch="topic")
    environment = Environment({} if variable is None else {VARIABLE: variable})
    place = options.images_in(environment).cache
    assert (place and str(place.repository)) == repository
    assert place is None or place.branch == "topic"


def test_a_cache_that_is_no_repository_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="has a tag or digest"):
        SessionOptions().images_in(Environment({VARIABLE: "r.test/cache:tag"}))
