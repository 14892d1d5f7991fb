"""The directories of the host that a service mounts (S-38)."""

from __future__ import annotations

from pathlib import Path

from longshore.config.volume_shapes import is_file_mount
from longshore.engine.spec import Mount
from longshore.errors import InvalidValue
from longshore.plan.model import ServicePlan
from longshore.run.events import Notice
from longshore.run.runtime import Runtime


def make_host_directories(runtime: Runtime, service: ServicePlan) -> None:
    """A missing host directory is made as the calling user, and said so (S-38).

    Raises InvalidValue where that is not possible, and where it is a file that is missing: a
    directory in its place would be in the way of whoever puts it there later.
    """
    if not runtime.info.local:
        return
    for mount in service.mounts:
        if mount.host is None:
            continue
        try:
            made = _made_directory(mount, service)
        except OSError as error:
            raise InvalidValue(
                f'cannot make the directory {mount.host} for service "{service.name}": '
                f"{error.strerror}",
                hint=f"make it yourself, or change volumes ({service.place})",
            ) from error
        if made:
            text = f'made the directory {mount.host} for service "{service.name}"'
            runtime.emit(Notice(text=text))


def _made_directory(mount: Mount, service: ServicePlan) -> bool:
    path = Path(mount.host or "")
    if path.exists():
        return False
    if is_file_mount(path.name, mount.container):
        raise InvalidValue(
            f'the file {path} that service "{service.name}" mounts does not exist',
            hint=f"create it, or correct volumes ({service.place}); if it is to be a directory, "
            "make that yourself",
        )
    path.mkdir(parents=True, exist_ok=True)
    return True
