"""A project whose plan shows all there is to show."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from longshore.commands.project import ProjectChoice, examined
from longshore.config.credential_keys import CredentialKeys
from longshore.plan.facts import BuildFacts
from longshore.plan.selection import Selection
from longshore.report.plan_facts import PlanView

SERVICES = """
    app:
      build: {image: me/app, context: ., args: {TOKEN: hidden-value}}
      depends_on: [db]
      environment: {PASSWORD: hidden-value}
      env_file: app.env
    db: {image: "postgres:9.6", encrypted_dockercfg_path: db.dockercfg}
    same: {image: me/app}
    gen: {image: generator, depends_on: [cache]}
    cache: {image: redis, command: redis-server --save ""}
"""
STEPS = """
    - {service: app, name: unit, command: sh -c "a b"}
    - type: parallel
      name: both
      tag: master
      steps:
      - {service: same, command: lint, on_fail: [{command: tell me, name: tell}]}
      - type: serial
        steps: [{service: db, name: only v, command: x, tag: "^v"}]
    - {service: app, type: push, image_name: a/b, image_tag: "{{.Branch}}", registry: "https://quay.io",
       dockercfg_service: gen, name: publish}
    - {type: manual, service: app, steps: [{command: deploy}]}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "codeship-services.yml").write_text(dedent(SERVICES))
    (tmp_path / "codeship-steps.yml").write_text(dedent(STEPS))
    return tmp_path


def view(
    directory: Path,
    selection: Selection,
    flags: CredentialKeys | None = None,
    *,
    user_login: bool = True,
) -> PlanView:
    """The plan of a directory's files for the branch ``main``, for showing."""
    facts = BuildFacts(branch="main")
    found = examined(ProjectChoice(directory=directory), facts, selection)
    assert found.plan is not None, [str(problem) for problem in found.problems]
    return PlanView(found.plan, flags=flags or CredentialKeys(), user_login=user_login)
