"""``longshore login-check``: every credential a plan needs, tried before anything is built.

For a push the registry is asked to begin an upload, which is cancelled; for a pull it is asked for
the manifest. Only what names credentials is asked about: public images need none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import anyio
from msgspec import Struct, field

from longshore.commands.preparation import Remarks, credentials_of_files, project_files
from longshore.commands.project import ProjectChoice, planned
from longshore.commands.session import open_session
from longshore.commands.session_options import SessionOptions
from longshore.config.base_images import base_references
from longshore.config.credential_keys import CredentialKeys
from longshore.config.load import read_text
from longshore.environment import Environment
from longshore.errors import LongshoreError, RegistryError
from longshore.oci.reference import ImageReference
from longshore.plan.facts import BuildFacts
from longshore.plan.model import BuildPlan, ImagePlan, Plan, PullPlan
from longshore.plan.selection import Selection
from longshore.registry.client import Access, RegistryClient
from longshore.registry.limits import Limits
from longshore.report.printable import printable
from longshore.report.readers import LogOptions, reader
from longshore.report.sink import Sink
from longshore.report.style import Style
from longshore.run.credentials import Chain, Credentials, push_chain
from longshore.run.execute import open_runtime
from longshore.run.needs import (
    Need,
    asker,
    generator_images,
    images_of_need,
    is_pulled,
    needs_of_steps,
)
from longshore.run.push.credential_hints import credential_hints
from longshore.secrets.credential import Credential
from longshore.secrets.masking import Masker

_LIMITS = Limits(retries=2, deadline=60.0, idle=20.0, longest_wait=10.0)
"""Whoever asks this waits in front of the screen."""


class LoginCheckRequest(Struct, frozen=True, kw_only=True):
    """What `longshore login-check` was asked for."""

    project: ProjectChoice
    facts: BuildFacts
    selection: Selection
    session: SessionOptions


class Login(Struct, frozen=True, kw_only=True):
    """A repository that will be pushed to or pulled from, and where its credentials come from.

    `registry` is its host as the files spell it.
    """

    image: ImageReference
    registry: str
    pushes: bool
    chain: Chain
    generated: bool = True

    @property
    def label(self) -> str:
        """How the line about it begins."""
        return f"{'push to' if self.pushes else 'pull of'} {self.image.name}"


def login_check(
    request: LoginCheckRequest, environment: Environment, sink: Sink, style: Style
) -> int:
    """One line a credential; 1 when one of them does not suffice."""
    plan = planned(request.project, request.facts, request.selection, sink)
    if plan is None:
        return 2
    check = _Check(plan, request.session, environment, sink, style)
    return anyio.run(check.run)


def logins_of(plan: Plan, needs: Iterable[Need], flags: CredentialKeys) -> tuple[Login, ...]:
    """What the steps push to and pull from, each once, in the order of the steps."""
    found: dict[Login, None] = {}
    for_generators = generator_images(plan, flags)
    for need in needs:
        for image in images_of_need(plan, need):
            chain = asker(plan, need).login_chain(image)
            free = image.key not in for_generators
            for base in _pulled(image, plan):
                host = base.registry
                login = Login(image=base, registry=host, pushes=False, chain=chain, generated=free)
                found[login] = None
        if need.push is not None:
            chain = push_chain(plan, need.push)
            push = need.push.push
            login = Login(image=push.targets[0], registry=push.registry, pushes=True, chain=chain)
            found[login] = None
    return tuple(found)


def _pulled(image: ImagePlan, plan: Plan) -> Iterable[ImageReference]:
    """What comes from a registry: an image, or the base images of a build."""
    if isinstance(image, PullPlan):
        return [image.name] if is_pulled(image) else []
    built = {str(each.name) for each in plan.images.values() if isinstance(each, BuildPlan)}
    # Nothing where it cannot be read: an earlier step may make it, and validate warns.
    bases = base_references(read_text(image.dockerfile) or "", image.arguments)
    return [base for base in bases if str(base) not in built]


class _Check(Struct):
    plan: Plan
    options: SessionOptions
    environment: Environment
    sink: Sink
    style: Style
    masker: Masker = field(default_factory=Masker)
    unreadable: set[str] = field(default_factory=set)
    """What is wrong with a file or generator is told once, not for every image it is for."""

    async def run(self) -> int:
        """Check all of them, one after the other."""
        logins = logins_of(self.plan, needs_of_steps(self.plan), self.options.credentials)
        access = self.options.registries.access(self.environment)
        async with self._credentials(logins) as credentials:
            results = [await self._checked(login, credentials, access) for login in logins]
        told = [result for result in results if result is not None]
        if not told:
            self.sink.tell("no step that will run needs registry credentials\n")
        return 0 if all(told) else 1

    @asynccontextmanager
    async def _credentials(self, logins: Iterable[Login]) -> AsyncIterator[Credentials]:
        """With an engine only when a generator service has to run."""
        remarks = Remarks()
        files = project_files(
            self.plan.directory, self.options, self.environment, self.masker, remarks
        )
        plain = credentials_of_files(self.plan, self.options, self.environment, files)
        sources = [plain.source(login.chain, generated=login.generated) for login in logins]
        emit = reader(LogOptions(), self.sink, self.style, self.masker)
        if not any(source.generator for source in sources):
            remarks.tell(emit, self.masker)
            yield plain
            return
        async with (
            open_session(
                self.plan, (), self.options, self.environment, self.masker, emit
            ) as setting,
            open_runtime(self.plan, setting) as runtime,
        ):
            yield runtime.images.credentials

    async def _checked(self, login: Login, credentials: Credentials, access: Access) -> bool | None:
        """None: it needs no credential."""
        origin = ""
        try:
            credential = await _found(login, credentials)
            if credential is None and not login.pushes:
                return None
            origin = credential.origin if credential is not None else "no credentials"
            async with credential_hints(credentials, login.chain, login.image, credential):
                await _try(login, credential, access)
        except LongshoreError as failure:
            problem = " ".join(_said(failure, origin))
            if origin or problem not in self.unreadable:
                self._line(login, origin, problem)
            if not origin:
                self.unreadable.add(problem)
            return False
        self._line(login, origin, None)
        return True

    def _line(self, login: Login, origin: str, problem: str | None) -> None:
        mark = self.style.success if problem is None else self.style.failure
        rest = f" ({origin})" if problem is None else f": {problem}"
        said = printable(self.masker.mask_text(rest))  # masked as it is, not as it is shown
        self.sink.write(f"{self.masker.mask_text(login.label)}: {mark}{said}\n")


async def _found(login: Login, credentials: Credentials) -> Credential | None:
    if login.pushes:
        return await credentials.for_push(login.chain, login.image, login.registry)
    return await credentials.for_pull(login.chain, login.image, generated=login.generated)


async def _try(login: Login, credential: Credential | None, access: Access) -> None:
    image = login.image
    async with RegistryClient(
        host=image.registry, access=access, credential=credential, limits=_LIMITS
    ) as client:
        if login.pushes:
            await client.check_push(image.repository)
            return
        reference = image.digest or image.tag or "latest"
        if await client.head_manifest(image.repository, reference) is None:
            raise RegistryError(
                f"{image.registry} has no {reference} of {image.repository}",
                hint="the credentials are good; correct the name of the image",
            )


def _said(failure: LongshoreError, origin: str) -> Iterable[str]:
    """The failure in one line: what, with whose credentials, and what to do."""
    yield " ".join(failure.message.split())
    if origin and origin not in (failure.hint or ""):
        yield f"[{origin}]"
    if failure.hint:
        yield f"- {' '.join(failure.hint.split())}"
