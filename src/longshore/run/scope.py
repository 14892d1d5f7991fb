"""What belongs to one run: its id, the labels on all it makes, and the names of containers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from msgspec import Struct, field

from longshore.engine.spec import ImageInfo
from longshore.run.liveness import ProcessIdentity

OWNER_LABEL = "dev.longshore.owner"
RUN_LABEL = "dev.longshore.run"
PROJECT_LABEL = "dev.longshore.project"
STEP_LABEL = "dev.longshore.step"
SERVICE_LABEL = "dev.longshore.service"
KEPT_LABEL = "dev.longshore.kept"
"""On what ``--no-remove`` keeps: only `longshore cleanup` removes it, not the next run."""

OWNER = "longshore"


def _new_id() -> str:
    return secrets.token_hex(4)


class RunScope(Struct, frozen=True, kw_only=True):
    """One run of a project; `process` lets others tell whether it still lives (C-24).

    `kept`: what the run makes is to stay (``--no-remove``).
    """

    project: Path
    process: ProcessIdentity
    id: str = field(default_factory=_new_id)
    kept: bool = False
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def is_older(self, image: ImageInfo) -> bool:
        """Whether the run began before `image` was made; false where that cannot be told."""
        try:
            return self.began < datetime.fromisoformat(image.created)
        except (ValueError, TypeError):
            return False

    def labels(self, step: str, service: str | None = None) -> Mapping[str, str]:
        """The labels of a container or network of this run."""
        labels = {
            OWNER_LABEL: OWNER,
            RUN_LABEL: self.id,
            PROJECT_LABEL: str(self.project),
            STEP_LABEL: step,
            **self.process.labels(),
        }
        if self.kept:
            labels[KEPT_LABEL] = "true"
        if service is not None:
            labels[SERVICE_LABEL] = service
        return labels

    def container_name(self, service: str, step: str, path: str) -> str:
        """``jet-<service>-<step>``, forbidden characters removed (I-21), unique by run and path.

        A service that lost some ends in a hash: another of the step may lose its difference.
        """
        short = _allowed(service)
        lost = "" if short == service else f".{sha256(service.encode()).hexdigest()[:8]}"
        return f"jet-{short}-{_allowed(step)}-{self.id}.{path}{lost}"

    def network_name(self, step: str, path: str) -> str:
        """The name of a step's own network."""
        return f"jet-{_allowed(step)}-{self.id}.{path}"


def _allowed(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_.-]", "", text)[:100]
