"""Images made ready when the first step needs them: built or pulled, once each (spec 3.3, 3.4)."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final

import anyio
from msgspec import Struct, field

from longshore.config.credential_keys import CredentialKeys
from longshore.engine.port import Engine, OnLine
from longshore.engine.spec import BuildSpec, ImageInfo
from longshore.errors import BuildFailed, EngineError, LongshoreError, NotFound, PullFailed
from longshore.oci.reference import ImageReference
from longshore.plan.logins import Asker
from longshore.plan.model import BuildPlan, ImageKey, ImagePlan, PullPlan
from longshore.registry.once import Once
from longshore.run.build_files import base_images, check_files, readable
from longshore.run.credentials import Credentials
from longshore.run.events import Detail, ImageFinished, ImageOutput, ImageStarted, Notice
from longshore.run.files import Values
from longshore.run.image_cache import CachePlace, ImageCache
from longshore.run.quiet import while_heard
from longshore.run.stream import Emit
from longshore.secrets.credential import Credential

_LINES_KEPT: Final = 50
"""Of output that is not shown; what failed is at its end."""

BuildValues = Callable[[BuildPlan], Awaitable[tuple[Values, Values]]]
"""Arguments and secrets of a build, decrypted (I-16, I-17)."""


class ImageOptions(Struct, frozen=True, kw_only=True):
    """How images are made: ``--no-cache`` and ``--pull-if-present`` (I-12, I-13).

    `build_secrets`: encrypted build arguments are given as BuildKit secrets instead. `cache`:
    where images of services with ``cached: true`` are kept (H-20).
    """

    no_cache: bool = False
    pull_if_present: bool = False
    show_output: bool = True
    build_secrets: bool = False
    cache: CachePlace | None = None


Attempt = tuple[ImageKey, CredentialKeys, CredentialKeys]
"""With the credentials: a failure may come from them, and is no other's (S-53)."""


class ImageStore(Struct):
    """The images of one run."""

    engine: Engine
    plans: Mapping[ImageKey, ImagePlan]
    emit: Emit
    credentials: Credentials
    cache: ImageCache
    values_of: BuildValues
    options: ImageOptions = field(default_factory=ImageOptions)
    quiet_timeout: float | None = None
    """Seconds a build or pull may write nothing (T-44)."""
    for_generators: frozenset[ImageKey] = frozenset()
    """Images that generators of credentials start from (P-34)."""
    _ready: Once[ImageKey, ImageInfo] = field(default_factory=Once)
    _tried: Once[Attempt, ImageInfo] = field(default_factory=lambda: Once(share_failures=True))
    _failed: dict[Attempt, BuildFailed] = field(default_factory=dict)
    """Builds that were done and failed; for on_fail steps they are not done again (I-8, Q-24)."""

    async def ready(self, keys: Iterable[ImageKey], asker: Asker) -> dict[ImageKey, ImageInfo]:
        """All of `keys` built or pulled, side by side (I-9); raises the first failure.

        Those of others are told as well, so that one run shows all there is to mend.
        """
        images: dict[ImageKey, ImageInfo] = {}
        failures: list[LongshoreError] = []

        async def make(key: ImageKey) -> None:
            try:
                images[key] = await self.image(key, asker)
            except LongshoreError as failure:
                failures.append(failure)

        async with anyio.create_task_group() as group:
            for key in dict.fromkeys(keys):
                group.start_soon(make, key)
        if failures:
            first, *others = {failure.message: failure for failure in failures}.values()
            for other in others:
                self.emit(Notice(text=other.message))
            raise first
        return images

    async def image(self, key: ImageKey, asker: Asker) -> ImageInfo:
        """One image, made now if it was not made in this run.

        One of the engine is looked up anew: steps make, name and remove images themselves (S-48).
        """
        plan = self.plans[key]
        if isinstance(plan, PullPlan) and plan.built_by is None and self._ready.known(key):
            if (by_now := await self.engine.inspect_image(str(plan.name))) is not None:
                return by_now
            self._ready.forget(key)
            self._tried.forget_if(lambda tried, _: tried[0] == key)

        async def work() -> ImageInfo:
            if isinstance(plan, BuildPlan):
                return await self._built(plan, asker)
            return await self._present(plan, asker)

        attempt = self._attempt(plan, asker)
        if (failed := self._failed.get(attempt)) is not None and not self._ready.known(key):
            raise failed
        return await self._tried.get(attempt, lambda: self._ready.get(key, work))

    def _attempt(self, plan: ImagePlan, asker: Asker) -> Attempt:
        """With what logs in for the image, and for what siblings build for it first."""
        own = self.credentials.source(asker.login_chain(plan), generated=self._generated(plan))
        return plan.key, own, self.credentials.source(asker.credentials)

    def _generated(self, plan: ImagePlan) -> bool:
        """Whether generators of credentials count; not for images that they are started from."""
        return plan.key not in self.for_generators

    def built_here(self, image: ImageInfo) -> bool:
        """Whether this run built it for a service; what it only found or pulled may be a step's."""
        built = (key for key, plan in self.plans.items() if isinstance(plan, BuildPlan))
        known = (self._ready.known(key) for key in built)
        return any(one is not None and one.id == image.id for one in known)

    async def made(self, key: ImageKey) -> ImageInfo:
        """One image, when a step has had it made; waits for that, and never makes it itself.

        One that the engine has and that would only be pulled is there at once.
        """
        plan = self.plans[key]
        if isinstance(plan, PullPlan) and plan.built_by is not None:
            return await self.made(plan.built_by)
        if isinstance(plan, PullPlan) and not self.options.pull_if_present:
            local = await self.engine.inspect_image(str(plan.name))
            if local is not None:
                return local
        return await self._ready.made(key)

    async def _built(self, plan: BuildPlan, asker: Asker) -> ImageInfo:
        if plan.builds_first:
            await self._name_again(await self.ready(plan.builds_first, asker))
        with readable(plan):
            check_files(plan)
        arguments, secrets = await self.values_of(plan)
        with readable(plan):
            bases = base_images(plan, arguments)
        chain = asker.login_chain(plan)
        spec = BuildSpec(
            context=plan.context,
            dockerfile=plan.dockerfile,
            tags=(str(plan.name),),
            arguments=arguments,
            secrets=secrets,
            credentials=await self.credentials.for_build(
                chain, bases, generated=self._generated(plan)
            ),
            from_engine=bool(plan.builds_first),
            pull=self.options.pull_if_present and not plan.builds_first,
            no_cache=self.options.no_cache,
        )

        async def login(image: ImageReference) -> Credential | None:
            return await self.credentials.for_pull(chain, image, generated=self._generated(plan))

        self._explain(plan, _how_built(spec))

        async def build(on_line: OnLine) -> str:
            return await self.cache.build(plan, spec, login, on_line)

        try:
            return await self._announced(plan, "build", build)
        except BuildFailed as failure:
            failed = _not_built(plan, failure)
            self._failed[self._attempt(plan, asker)] = failed
            raise failed from failure

    async def _name_again(self, images: Mapping[ImageKey, ImageInfo]) -> None:
        """Give images the names by which Dockerfiles know them: another run may have taken them
        since, for generated ones are alike in all projects."""
        for key, image in images.items():
            await self.engine.tag(image.id, str(self.plans[key].name))

    async def _present(self, plan: PullPlan, asker: Asker) -> ImageInfo:
        if plan.built_by is not None:
            self._explain(plan, f'that of service "{self.plans[plan.built_by].service}"')
            return await self.image(plan.built_by, asker)
        local = await self.engine.inspect_image(str(plan.name))
        if local is not None and not self.options.pull_if_present:
            self._explain(plan, "not pulled, the engine has it (--pull-if-present pulls it)")
            return local
        self._explain(plan, "pulled, " + ("--pull-if-present" if local else "the engine lacks it"))

        try:
            # Before the pull: a generator that runs for it is no silence of the pull.
            credential = await self.credentials.for_pull(
                asker.login_chain(plan),
                plan.name,
                generated=self._generated(plan),
            )

            async def pull(on_line: OnLine) -> str:
                return await self.engine.pull(str(plan.name), credential, on_line)

            return await self._announced(plan, "pull", pull)
        except (PullFailed, NotFound) as failure:
            if local is not None:
                self.emit(Notice(text=f"{failure.message}; using the local {plan.name}"))
                return local
            raise _not_found(plan, failure) from failure

    async def _announced(
        self, plan: ImagePlan, action: str, work: Callable[[OnLine], Awaitable[str]]
    ) -> ImageInfo:
        image, service = plan.name.name, plan.service
        self.emit(ImageStarted(image=image, service=service, action=action))
        started = time.monotonic()
        problem: str | None = "interrupted"
        output = _Output(partial(self._tell, image, service, action), self.options.show_output)
        try:
            what = f"the {action} of {image}"
            made = await while_heard(self.quiet_timeout, what, work, output.line)
            problem = None
        except LongshoreError as failure:
            problem = failure.message
            if action == "build":  # a pull's message says it all
                output.show()
            raise
        finally:
            self.emit(
                ImageFinished(
                    image=image,
                    service=service,
                    action=action,
                    problem=problem,
                    seconds=time.monotonic() - started,
                )
            )
        return await self._inspect(made)

    def _tell(self, image: str, service: str, action: str, text: str) -> None:
        self.emit(ImageOutput(image=image, service=service, text=text, action=action))

    def _explain(self, plan: ImagePlan, why: str) -> None:
        self.emit(Detail(text=f'service "{plan.service}", image {plan.name}: {why}'))

    async def _inspect(self, image: str) -> ImageInfo:
        info = await self.engine.inspect_image(image)
        if info is None:
            raise EngineError(f"the engine lost the image {image} right after making it")
        return info


class _Output:
    """Output of a build or pull on its way; one that is not shown is kept in case it fails."""

    def __init__(self, tell: OnLine, shown: bool) -> None:
        self._tell = tell
        self._kept: deque[str] = deque(maxlen=_LINES_KEPT)
        self.line = tell if shown else self._kept.append

    def show(self) -> None:
        """The last lines of what was not shown."""
        while self._kept:
            self._tell(self._kept.popleft())


def _how_built(spec: BuildSpec) -> str:
    """Names of arguments alone, for anything may be in their values (I-19)."""
    names = ", ".join(name for name, _ in (*spec.arguments, *spec.secrets))
    return f"built from {spec.dockerfile}" + (f", arguments: {names}" if names else "")


def _not_built(plan: BuildPlan, failure: BuildFailed) -> BuildFailed:
    """Named, for a step may need the images of many services, and the engine names none."""
    message = f'service "{plan.service}": {failure.message}'
    hint = failure.hint or f"it is built from {plan.dockerfile} ({plan.place})"
    return BuildFailed(message, hint=hint, status=failure.status)


def _not_found(plan: PullPlan, failure: EngineError) -> PullFailed:
    return PullFailed(
        f"image {plan.name} not found: {failure.message}",
        hint=failure.hint or f'it is the image of service "{plan.service}" ({plan.place})',
        status=failure.status,
    )
