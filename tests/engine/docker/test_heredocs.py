"""What is a heredoc of a Dockerfile, and what only looks like one."""

from __future__ import annotations

import pytest

from longshore.engine.docker.heredocs import first_heredoc


@pytest.mark.parametrize(
    ("dockerfile", "found"),
    [
        ("FROM x\nRUN <<EOF\necho a\nEOF\n", (2, "EOF")),
        ("FROM x\nRUN python3 <<'END' > out\nprint(1)\nEND\n", (2, "END")),
        ('FROM x\nRUN a && \\\n    cat 3<<-"E" \n\t1\n\tE\n', (3, "E")),
        ("FROM x\r\nCOPY <<a.txt /b\r\n1\r\na.txt\r\n", (2, "a.txt")),
    ],
)
def test_a_heredoc_is_found_with_its_line(dockerfile: str, found: tuple[int, str]) -> None:
    assert first_heredoc(dockerfile) == found


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM x\nRUN cat <<< EOF\nEOF\n",
        "FROM x\n# RUN <<EOF\n# EOF\nEOF\n",
        "FROM x\nRUN echo $((1 << 2))\n2\n",
        "FROM x\nRUN cat <<EOF\n\tEOF\n",
        "FROM x\nRUN echo 'a<<EOF'\n",
    ],
)
def test_what_only_looks_like_one_is_none(dockerfile: str) -> None:
    assert first_heredoc(dockerfile) is None
