"""What every part of a run shares, and the options it was started with."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import anyio
from msgspec import Struct, field

from longshore.config.credential_keys import CredentialKeys
from longshore.engine.port import Engine
from longshore.engine.spec import EngineInfo, Mount
from longshore.plan.model import Plan
from longshore.run.images import ImageStore
from longshore.run.janitor import Janitor
from longshore.run.push.eager import Uploads
from longshore.run.push.port import Pusher
from longshore.run.scope import RunScope
from longshore.run.stream import Emit
from longshore.run.variables import Sources
from longshore.run.volumes import RunVolumes

Mask = Callable[[str, bytes], bytes]
"""Masks the next bytes of a named stream; may hold back what could begin a secret."""


class RunOptions(Struct, frozen=True, kw_only=True):
    """How to run; times in seconds, None: no limit (T-44, Q-12)."""

    max_parallel: int | None = None
    fail_fast: bool = False
    eager_push: bool = False
    """Upload the layers of every image that will be pushed while the steps before run."""
    keep_containers: bool = False
    keep_volumes: bool = False
    """Whether steps share the volumes of services that others take `volumes_from` (Q-5)."""
    grace: float = 10.0
    health_timeout: float = 3600.0
    timeout: float | None = None
    step_timeout: float | None = None
    quiet_timeout: float | None = None


class Runtime(Struct, frozen=True, kw_only=True):
    """One run at work. Every field is the narrow thing its users need."""

    plan: Plan
    engine: Engine
    info: EngineInfo
    scope: RunScope
    options: RunOptions
    emit: Emit
    images: ImageStore
    sources: Sources
    pusher: Pusher
    janitor: Janitor
    slots: anyio.CapacityLimiter
    docker_mounts: tuple[Mount, ...] = ()
    mask: Mask = field(default=lambda _, data: data)
    mask_end: Callable[[str], bytes] = field(default=lambda _: b"")
    uploads: Uploads = field(default_factory=Uploads)
    volumes: RunVolumes | None = None
    """None: volumes live as long as their step."""
    digests: dict[str, str] = field(default_factory=dict)
    """Variables with the digests of what was pushed so far, for the steps that start later."""


class StepLabel(Struct, frozen=True, kw_only=True):
    """Which step something happens for, and the credentials in force there."""

    path: str
    name: str
    credentials: tuple[CredentialKeys, ...] = ()


asking: ContextVar[StepLabel | None] = ContextVar("asking", default=None)
"""The step at work, where it is too far away to be handed down: a generator that runs for its
image is logged under it (P-30). None: there is none, as in ``load``."""
