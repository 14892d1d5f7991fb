"""How long after the last test an image is in the registry, pushed early and not.

``eager.py [--runs N] [--quick] [--seconds N]``. A pipeline of one test step that sleeps and a push
step of the image of 1.56 GB, on a registry (Debian's, on loopback) that is emptied before each run.
"work alone" is the time from the verdict of the test to the event that tells of the manifest; the
other figures are of the whole command.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from functools import partial
from pathlib import Path

from push import Bench, engine, scenarios, show
from pushers import BIN
from steps import IMAGE, image_context
from timing import Contender, compare, table

from longshore.testing.disk_folder import disk_folder
from longshore.testing.registry_process import run_registry


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the image")
    parser.add_argument("--seconds", type=int, default=10, help="how long the tests take")
    arguments = parser.parse_args()
    with (
        disk_folder() as folder,
        engine() as (address, data_root),
        run_registry(folder / "registry") as registry,
    ):
        bench = Bench(folder, registry, address, data_root, pushers=())
        bench.shell(f"docker build -t {IMAGE} {image_context(folder)}")
        scenario = scenarios(10 if arguments.quick else 1)["cold"]
        with bench.loaded("eager", scenario) as [image]:
            project = write_project(bench, image, arguments.seconds)
            rows = [contender(bench, project, words) for words in ((), ("--eager-push",))]
            title = f"tests of {arguments.seconds} s, then a push"
            show(table(title, compare(rows, arguments.runs, warm_ups=0)))


def write_project(bench: Bench, image: str, seconds: int) -> Path:
    """The two files, as JSON, which is YAML."""
    project = bench.folder / "project"
    project.mkdir()
    services = {"app": {"image": image}, "tests": {"image": IMAGE}}
    steps = [
        {"name": "test", "service": "tests", "command": f"sleep {seconds}"},
        {"name": "ship", "service": "app", "type": "push", "image_tag": "1"},
    ]
    steps[1]["image_name"] = f"{bench.registry.host}/bench/eager"
    (project / "codeship-services.yml").write_text(json.dumps(services))
    (project / "codeship-steps.yml").write_text(json.dumps(steps))
    return project


def contender(bench: Bench, project: Path, words: tuple[str, ...]) -> Contender:
    """The pipeline with these flags; what it remembers of earlier runs the registry has lost."""
    command = [str(BIN / "longshore"), "steps", "--push", *words]
    command = [*command, "--log-format", "json", "--dir", str(project)]
    cache = bench.folder / f"cache{len(words)}"
    return Contender(
        " ".join(["longshore steps", *words]),
        command,
        {**bench.environment, "XDG_CACHE_HOME": str(cache)},
        partial(bench.ready, None),
        inner=from_green_to_manifest,
    )


def from_green_to_manifest(log: bytes) -> float:
    """Seconds between the two events of a run."""
    records = [json.loads(line) for line in log.splitlines()]
    green = next(
        one for one in records if one["event"] == "step_finished" and one["name"] == "test"
    )
    there = next(one for one in records if one["event"] == "pushed")
    first, last = (datetime.fromisoformat(one["time"]) for one in (green, there))
    return (last - first).total_seconds()


if __name__ == "__main__":
    main()
