"""What is wrong with the two files taken together; pure.

Everything here can be told without expanding templates and without knowing the build tag.
"""

from __future__ import annotations

from longshore.config.check_manual import check_manual_groups
from longshore.config.check_services import check_services
from longshore.config.check_steps import check_steps
from longshore.config.model import ServicesFile, StepsFile
from longshore.config.report import Report


def check(services: ServicesFile | None, steps: StepsFile | None, report: Report) -> None:
    """Add every problem found; a file that could not be read is None."""
    if services is not None:
        check_services(services, report)
    if steps is not None:
        check_steps(steps, services, report)
        check_manual_groups(steps, report)
