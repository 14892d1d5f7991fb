"""What can be known to fail before anything starts: keys, files and credentials (spec C-9).

Only what runnable steps need is looked at (E-15). A file that does not exist is let pass when it
lies below a directory that containers mount that start before: they may write it (S-41).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from longshore.config.credential_keys import CredentialKeys
from longshore.config.load import read_text
from longshore.config.model import one_by_one
from longshore.config.names import no_generator
from longshore.config.problem import Place
from longshore.engine.ignore import parse
from longshore.errors import InvalidValue, LongshoreError, RegistryDenied
from longshore.plan.lasting import is_copied, lasting_arguments
from longshore.plan.model import BuildPlan, ImageKey, ImagePlan, Plan, PushStep, ServicePlan
from longshore.registry.credentials.store import CredentialStore
from longshore.run.credentials import Credentials, push_chain
from longshore.run.files import ProjectFiles, Values
from longshore.run.needs import (
    Need,
    asker,
    generator_images,
    image_closure,
    images_of_need,
    services_of,
)
from longshore.secrets.key import KEY_FILE


@dataclass(slots=True, kw_only=True)
class Preflight:
    """Decrypts and parses all that `check` is given, and forgets the values."""

    plan: Plan
    files: ProjectFiles
    credentials: Credentials
    build_secrets: bool = False
    for_generators: frozenset[ImageKey] = field(init=False)
    _seen: set[str] = field(default_factory=set)
    _failures: dict[str, LongshoreError] = field(default_factory=dict)
    _writable: frozenset[str] = frozenset()
    """Directories that containers mount that start before what is looked at."""

    def __post_init__(self) -> None:
        self.for_generators = generator_images(self.plan, self.credentials.options.flags)

    def check(self, needs: Iterable[Need]) -> None:
        """Raise what the needs would end in, each failure once and naming who needs it.

        One is a `LongshoreError`, several are an ExceptionGroup of them, in the order of the needs.
        """
        for need in needs:
            self._need(need)
        failures = list(self._failures.values())
        if len(failures) > 1:
            raise ExceptionGroup("what the run needs", failures)
        if failures:
            raise failures[0]

    def _need(self, need: Need) -> None:
        earlier = self._writable
        for name in services_of(self.plan, need):  # in the order in which they start
            service = self.plan.services[name]
            if self._first(f"service {name}"):
                self._service(service)
            self._writable |= _writable(service)
        later, self._writable = self._writable, earlier  # images are made before all of them
        for image in images_of_need(self.plan, need):
            self._image(image, need)
        if need.push is not None:
            self._push(need.push)
        self._writable = later

    def _service(self, service: ServicePlan) -> None:
        what = f'service "{service.name}"'
        for path in self._present(service.env_files):
            with self._needed_by(what, service.file_places[path]):
                self.files.env_file(path)
        for value, _ in one_by_one(service.encrypted_environment):
            with self._needed_by(what, service.place):
                self.files.encrypted_pairs(value, f"encrypted_environment of {what}")
        for path in self._present(service.encrypted_env_files):
            with self._needed_by(what, service.file_places[path]):
                self.files.encrypted_env_file(path)

    def _image(self, image: ImagePlan, need: Need) -> None:
        asking = asker(self.plan, need)
        generated = image.key not in self.for_generators
        keys = self.credentials.source(asking.login_chain(image), generated=generated)
        what = f'the image of service "{image.service}"'
        of_step = keys in need.chain and keys not in image.credentials.values()
        with self._needed_by(what, need.place if of_step else image.place):
            self._generator(keys)
            if isinstance(image, BuildPlan) and self._first(f"{image.key} {keys}"):
                self._credentials(keys)
        if isinstance(image, BuildPlan) and self._first(image.key):
            self._build(image, what)

    def _build(self, image: BuildPlan, what: str) -> None:
        for fault in self.plan.faults.get(image.key, ()):
            with self._needed_by(what, fault.place):
                raise InvalidValue(fault.message, hint=fault.hint)
        for path in self._present(image.encrypted_argument_files):
            with self._needed_by(what, image.file_places[path]):
                self.files.argument_file(path)
        with self._needed_by(what, image.place):
            self._arguments(image)

    def _credentials(self, keys: CredentialKeys) -> CredentialStore | None:
        path = keys.encrypted_dockercfg_path or keys.dockercfg_path
        there = path is None or tuple(self._present([self.plan.directory / path]))
        return self.credentials.of_file(keys) if there else None

    def _generator(self, keys: CredentialKeys) -> None:
        """A flag may name a service that does not exist; the files were checked before."""
        service = keys.dockercfg_service
        if service and service not in self.plan.services:
            raise no_generator(service, self.plan.services)

    def _push(self, step: PushStep) -> None:
        chain = push_chain(self.plan, step)
        keys = self.credentials.source(chain)
        with self._needed_by(f'push step "{step.name}"', step.place):
            self._generator(keys)
            store = self._credentials(keys)
            if not keys and self._first("the user's login"):
                self.credentials.of_user()
            if store is not None:
                _required(store, step.push.registry)
            self._tell_lasting(step.push.image)
            self._tell_key(step.push.image)
        if chain and not step.credentials:
            self.files.tell([_of_service_only(step)])

    def _arguments(self, image: BuildPlan) -> Values:
        """The encrypted arguments; none while a file of theirs is still to be written."""
        files = image.encrypted_argument_files
        complete = len(tuple(self._present(files))) == len(files)
        return self.files.encrypted_arguments(image) if complete else ()

    def _tell_lasting(self, key: ImageKey) -> None:
        """Values of encrypted arguments that everybody who pulls the image can read."""
        for image in () if self.build_secrets else image_closure(self.plan, [key]):
            if isinstance(image, BuildPlan) and (text := read_text(image.dockerfile)):
                names = [name for name, _ in self._arguments(image)]
                self.files.tell(map(_lasting(image), lasting_arguments(text, names)))

    def _tell_key(self, key: ImageKey) -> None:
        """The key in an image opens all that is encrypted with it, which is often copied too."""
        path = self.plan.directory / KEY_FILE
        for image in image_closure(self.plan, [key]) if path.is_file() else ():
            if isinstance(image, BuildPlan) and path.is_relative_to(image.context):
                name = path.relative_to(image.context).as_posix()
                text = read_text(image.dockerfile) or ""
                if is_copied(text, name) and not _is_left_out(image, name):
                    self.files.tell([_with_key(image, name)])

    def _present(self, paths: Iterable[Path]) -> Iterator[Path]:
        return (path for path in paths if _exists(path) or not self._may_come(path))

    def _may_come(self, path: Path) -> bool:
        return any(map(path.is_relative_to, self._writable))

    @contextmanager
    def _needed_by(self, what: str, place: Place) -> Iterator[None]:
        """Keep a failure, its hint told who needs the thing and where that is written."""
        try:
            yield
        except LongshoreError as failure:
            failure.hint = "; ".join(filter(None, (f"{what} needs it ({place})", failure.hint)))
            self._failures.setdefault(failure.message, failure)

    def _first(self, what: str) -> bool:
        if what in self._seen:
            return False
        self._seen.add(what)
        return True


def _writable(service: ServicePlan) -> frozenset[str]:
    mounts = (mount for mount in service.mounts if not mount.read_only)
    return frozenset(mount.host for mount in mounts if mount.host is not None)


def _exists(path: Path) -> bool:
    """Of one that cannot be looked at it is told when it is read."""
    try:
        return path.exists()
    except OSError:
        return True


def _required(store: CredentialStore, registry: str) -> None:
    """Raises InvalidValue: the file is wrong, and no registry was asked (C-5)."""
    try:
        store.require(registry)
    except RegistryDenied as missing:
        raise InvalidValue(missing.message, hint=missing.hint) from missing


def _lasting(image: BuildPlan) -> Callable[[str], str]:
    def told(name: str) -> str:
        return (
            f'the value of the encrypted build argument "{name}" stays readable in the history of '
            f"{image.name}, which is pushed; use it in an earlier stage only, or give it as a "
            "BuildKit secret with --build-secrets"
        )

    return told


def _is_left_out(image: BuildPlan, name: str) -> bool:
    """By the ignore file that belongs to the Dockerfile, else by that of the context."""
    real = image.dockerfile.resolve()
    own = read_text(real.with_name(f"{real.name}.dockerignore"))
    text = own if own is not None else read_text(image.context / ".dockerignore")
    try:
        return parse(text or "").ignores(name)
    except InvalidValue:
        return True  # the build will not begin, and says why


def _with_key(image: BuildPlan, name: str) -> str:
    return (
        f"{image.dockerfile.name} copies the AES key ({name}) into {image.name}, which is pushed, "
        f'and everybody who pulls it can read it; write "{name}" into '
        f"{image.context / '.dockerignore'}"
    )


def _of_service_only(step: PushStep) -> str:
    """What the original did not take for pushing (P-6)."""
    return (
        f'push step "{step.name}" pushes with the credentials of service "{step.service}", as the '
        f"step names none; write them on the step ({step.place})"
    )
