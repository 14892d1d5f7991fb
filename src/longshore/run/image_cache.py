"""The image cache of services with ``cached: true``: one image a service and branch (spec 9.6).

Before a build the cache of the branch is asked for, else that of the default branch; after it the
cache of the branch is renewed (H-20). Builders that keep a cache of all stages in a registry do so
(H-21); with others the image itself is pulled, its layers used, and the new one pushed. Whatever
goes wrong with the cache is told once and never fails a build.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from longshore.engine.port import Engine, OnLine
from longshore.engine.spec import BuildSpec
from longshore.errors import EngineUnavailable, InvalidValue, LongshoreError, UsageError
from longshore.oci.reference import ImageReference
from longshore.plan.model import BuildPlan
from longshore.plan.tags import sanitise_tag
from longshore.run.events import Notice
from longshore.run.stream import Emit
from longshore.secrets.credential import Credential

DEFAULT_BRANCH: Final = "master"
"""The branch whose cache is taken where neither build nor service names one (H-20)."""

_MISSING = re.compile(r"manifest unknown|name unknown|not found|no such image", re.IGNORECASE)

Login = Callable[[ImageReference], Awaitable[Credential | None]]
"""The credential for an image, from where the build's own credentials come from."""

Result = TypeVar("Result")


class CachePlace(Struct, frozen=True, kw_only=True):
    """Where images are kept for the next build, and the branch that is built now, if known."""

    repository: ImageReference
    branch: str | None = None

    @staticmethod
    def at(repository: str, branch: str | None) -> CachePlace:
        """The place that ``--cache-registry`` names; raises UsageError for what is none."""
        hint = "give a repository without a tag, for example registry.example.com/team/cache"
        try:
            found = ImageReference.parse(repository)
        except InvalidValue as error:
            raise UsageError(f"--cache-registry: {error.message}", hint=hint) from error
        if found.tag or found.digest:
            raise UsageError(f'--cache-registry "{repository}" has a tag or digest', hint=hint)
        return CachePlace(repository=found, branch=branch)

    def names(self, plan: BuildPlan) -> tuple[str, ...]:
        """``REPOSITORY:SERVICE-BRANCH``: what is written, and first looked for, comes first."""
        default = plan.cache_branch or DEFAULT_BRANCH
        branches = dict.fromkeys((self.branch or default, default))
        tags = (sanitise_tag(f"{plan.service}-{branch}") for branch in branches)
        return tuple(dict.fromkeys(str(self.repository.with_tag(tag)) for tag in tags))


class ImageCache(Struct, kw_only=True):
    """Builds images with the cache at `place`, or without one."""

    engine: Engine
    emit: Emit
    place: CachePlace | None = None
    _told: set[str] = field(default_factory=set)

    async def build(self, plan: BuildPlan, spec: BuildSpec, login: Login, on_line: OnLine) -> str:
        """As `Engine.build`."""
        if not plan.cached:
            return await self.engine.build(spec, on_line)
        if self.place is None:
            self._tell(f'"cached" of service "{plan.service}" is ignored without --cache-registry')
            return await self.engine.build(spec, on_line)
        repository = self.place.repository
        credential = await self._attempted("cannot be used", lambda: login(repository))
        names = self.place.names(plan)
        if self.place.branch is None:
            default = plan.cache_branch or DEFAULT_BRANCH
            self._tell(
                f'no branch is known, so the image cache of branch "{default}" is used and '
                "renewed; name the branch with --ci-branch",
                about="branch",
            )
        spec = replace(spec, cache_to=names[0])
        if await self.engine.keeps_cache(spec):
            extra = {repository.registry: credential} if credential is not None else {}
            sources = () if spec.no_cache else names
            spec = replace(spec, cache_from=sources, credentials={**spec.credentials, **extra})
            return await self.engine.build(spec, on_line)
        return await self._with_images(plan, spec, names, credential, on_line)

    async def _with_images(
        self,
        plan: BuildPlan,
        spec: BuildSpec,
        names: tuple[str, ...],
        credential: Credential | None,
        on_line: OnLine,
    ) -> str:
        found = None if spec.no_cache else await self._pulled(names, credential, on_line)
        if found is not None:
            spec = replace(spec, cache_from=await self._sources(plan, *found))
        image = await self.engine.build(spec, on_line)
        if found != (names[0], image):
            await self._attempted(
                "was not renewed", lambda: self._push(image, names[0], credential, on_line)
            )
        return image

    async def _pulled(
        self, names: tuple[str, ...], credential: Credential | None, on_line: OnLine
    ) -> tuple[str, str] | None:
        """The first of `names` that the registry has, and the image's id."""
        for name in names:
            try:
                return name, await self.engine.pull(name, credential, on_line)
            except EngineUnavailable:
                raise
            except LongshoreError as failure:
                if not _MISSING.search(failure.message):
                    self._tell(f"the image cache cannot be used: {failure.message}")
                    return None
                on_line(f"No image cache at {name}")
        return None

    async def _sources(self, plan: BuildPlan, name: str, image: str) -> tuple[str, ...]:
        """Nothing where the engine's own image is the cache's: then its own layers, those of
        earlier stages too, are at hand, which the classic builder ignores once sources are named.
        """
        local = await self.engine.inspect_image(str(plan.name))
        if local is None:
            return (name,)
        return () if local.id == image else (name, local.id)

    async def _push(
        self, image: str, name: str, credential: Credential | None, on_line: OnLine
    ) -> None:
        await self.engine.tag(image, name)
        await self.engine.push(name, credential, on_line)

    async def _attempted(
        self, problem: str, work: Callable[[], Awaitable[Result]]
    ) -> Result | None:
        """What `work` gives, or None when it failed for the cache's own reasons."""
        try:
            return await work()
        except EngineUnavailable:
            raise
        except LongshoreError as failure:
            self._tell(f"the image cache {problem}: {failure.message}")
            return None

    def _tell(self, text: str, *, about: str = "trouble") -> None:
        """Once a run: an unreachable registry is one trouble, however many images are built."""
        if about not in self._told:
            self._told.add(about)
            self.emit(Notice(text=text))
