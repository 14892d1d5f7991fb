"""Services that generate registry credentials (spec 5.7, P-29 to P-34).

The generator gets one argument, the path of the file to write. It lies on an anonymous volume and
is copied out through the engine: the file never exists on the host, and remote engines work.
"""

from __future__ import annotations

import io
import secrets
import tarfile

from longshore.config.names import no_generator
from longshore.engine.spec import Mount
from longshore.errors import EngineError, NotFound
from longshore.run.convert import Extra
from longshore.run.run_step import run_service
from longshore.run.runtime import Runtime, StepLabel, asking

_DIRECTORY = "/tmp/credentials"  # noqa: S108  # a path inside the generator's container (P-30)
_LARGEST = 1 << 20


async def generated_dockercfg(runtime: Runtime, service: str) -> bytes:
    """Run `service` once and return what it wrote; its output is shown under the asking step.

    Raises EngineError when it fails or writes nothing, UsageError when there is no such service.
    """
    if service not in runtime.plan.services:
        raise no_generator(service, runtime.plan.services)
    directory = f"{_DIRECTORY}/codeship-dockercfg{_digits()}"
    path = f"{directory}/codeship-dockercfg{_digits()}"
    content = b""

    async def copy_out(container: str) -> None:
        nonlocal content
        content = await _file(runtime, container, path, service)

    step = asking.get() or StepLabel(path="0", name=service)
    label = StepLabel(path=f"{step.path}.dockercfg-{_digits()}", name=step.name)
    extra = Extra(command=(path,), mounts=(Mount(host=None, container=directory),))
    ended = await run_service(runtime, label, service, extra, before_removal=copy_out, secret=True)
    if ended is None or ended.code != 0:
        code = "no" if ended is None else ended.code
        raise EngineError(
            f"step {step.name} running service {service} had exit code {code}",
            hint="the dockercfg_service must exit with 0; its own output above says more",
        )
    return content


async def _file(runtime: Runtime, container: str, path: str, service: str) -> bytes:
    archive = io.BytesIO()
    try:
        async with runtime.engine.read_file(container, path) as blocks:
            async for block in blocks:
                archive.write(block)
                if archive.tell() > _LARGEST:
                    raise EngineError(f'the dockercfg of service "{service}" is over 1 MB')
    except NotFound as error:
        raise EngineError(
            f'service "{service}" wrote no dockercfg',
            hint="it gets one argument, the path of the file to write "
            f"({_DIRECTORY}/…), and must write registry credentials there as JSON",
        ) from error
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        member = tar.next()
        file = tar.extractfile(member) if member is not None and member.isfile() else None
        if file is None:
            raise EngineError(
                f'what service "{service}" wrote as dockercfg is not a regular file',
                hint="copy the file to the path in the argument, a link or directory will not do",
            )
        return file.read()


def _digits() -> str:
    return str(secrets.randbelow(10**9))
