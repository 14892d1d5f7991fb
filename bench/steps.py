"""Steps against the bare Engine API and the tools users would take instead, as ratios in one run.

``steps.py [--runs N] [--log-megabytes N]``. Every time is a whole process, start-up and clean-up
included; "work alone" is what it says itself: of the bare API its loop, of longshore the time until
the verdict, which no clean-up delays. `docker compose` takes part where it is installed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from timing import Contender, absence, compare, table

from longshore.engine.opening import open_engine
from longshore.engine.spec import BuildSpec
from longshore.environment import Environment

IMAGE = "longshore-bench/busybox:latest"
BIN = Path(sys.executable).parent
HERE = Path(__file__).parent


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--log-megabytes", type=int, default=1000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder)) as (address, cpus):
        bench = Bench(Path(folder), address, cpus, arguments.runs)
        if not bench.has_compose:
            show(absence(["docker compose"]))
        show(bench.steps("one step", 1, 1))
        show(bench.steps("ten serial steps", 10, 1))
        show(bench.steps("25 parallel steps", 25, cpus))
        show(bench.dependencies())
        show(bench.log(arguments.log_megabytes))
        show(bench.validate())


def _until_verdict(log: bytes) -> float:
    """How long the run says it took."""
    records = (json.loads(line) for line in log.splitlines())
    return next(float(r["seconds"]) for r in records if r["event"] == "run_finished")


def show(text: str) -> None:
    """Print a table when it is ready."""
    print(text, flush=True)


@contextmanager
def engine(folder: Path) -> Iterator[tuple[str, int]]:
    """An engine's address and processors; the image is built on it."""
    from anyio.from_thread import start_blocking_portal

    environment = Environment.of_process()
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_engine("auto", environment)) as found,
    ):
        info = portal.call(found.info)
        context = image_context(folder)
        spec = BuildSpec(context=context, dockerfile=context / "Dockerfile", tags=(IMAGE,))
        portal.call(found.build, spec, lambda _: None)
        yield info.endpoint, info.cpus


def image_context(folder: Path) -> Path:
    """What `IMAGE` is built from: busybox's applets in /bin."""
    context = folder / "image"
    context.mkdir()
    busybox = next(p for p in ("/bin/busybox", "/usr/bin/busybox") if Path(p).exists())
    shutil.copy(busybox, context / "busybox")
    (context / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/busybox\n"
        'RUN ["/bin/busybox", "--install", "/bin"]\nENV PATH=/bin\n'
    )
    return context


class Bench:
    """The scenarios, each a table."""

    def __init__(self, folder: Path, address: str, cpus: int, runs: int) -> None:
        self.folder = folder
        self.address = address
        self.cpus = cpus
        self.runs = runs
        self.environment = {"DOCKER_HOST": address, "XDG_STATE_HOME": str(folder / "state")}
        asked = ["docker", "compose", "version"]
        self.has_compose = not subprocess.run(asked, capture_output=True, check=False).returncode

    def steps(self, title: str, count: int, at_once: int) -> str:
        """`count` containers that do nothing, `at_once` at a time."""
        steps = [{"service": "app", "command": "true", "name": f"s{n}"} for n in range(count)]
        project = self.project(
            {"app": {"image": IMAGE}},
            steps if at_once == 1 else [{"type": "parallel", "steps": steps}],
        )
        rivals = [
            self.bare(count, at_once),
            self.longshore("longshore steps", project),
            *self._all_at_once(project, count, at_once),
            self.shell("docker run in a loop", self.loop(count, at_once)),
            *self._compose_steps(count, at_once),
        ]
        return table(title, compare(rivals, self.runs))

    def _all_at_once(self, project: Path, count: int, at_once: int) -> Iterator[Contender]:
        """`compose up` heeds no limit, so we take part once more without ours (T-19)."""
        if at_once > 1:
            words = ["--max-parallel", str(count)]
            yield self.longshore(f"longshore steps {' '.join(words)}", project, *words)

    def dependencies(self) -> str:
        """A step with two dependencies, one of them with a health check; once more with one that
        does not end when it is asked to: that is clean-up, and the verdict does not wait for it."""
        # `sleep` as process 1 would wait out the grace period at the end; compose's is none.
        stop = f"FROM {IMAGE}\nSTOPSIGNAL SIGKILL\n"
        self.image("db", stop + 'HEALTHCHECK --interval=1s CMD ["true"]\n')
        self.image("web", stop)
        self.image("deaf", f"FROM {IMAGE}\n")
        db = {"image": "longshore-bench/db", "command": "sleep 60"}
        web = {"image": "longshore-bench/web", "command": "sleep 60"}
        deaf = {"image": "longshore-bench/deaf", "command": "sh -c 'trap \"\" TERM; sleep 60'"}
        app = {"image": IMAGE, "depends_on": ["db", "web"]}
        steps = [{"service": "app", "command": "true"}]
        healthy, started = ({"condition": f"service_{word}"} for word in ("healthy", "started"))
        theirs = {"image": IMAGE, "command": "true", "depends_on": {"db": healthy, "web": started}}
        rivals = [
            self.longshore(
                "longshore steps", self.project({"app": app, "db": db, "web": web}, steps)
            ),
            self.longshore(
                "longshore, web ignores SIGTERM",
                self.project({"app": app, "db": db, "web": deaf}, steps),
            ),
            *self.compose({"db": db, "web": web, "app": theirs}, 1, 1),
        ]
        title = "a step with two dependencies, one with a health check"
        return table(title, compare(rivals, min(2, self.runs)))

    def log(self, megabytes: int) -> str:
        """A container that writes `megabytes` of 100-byte lines; through a pipe, but of the bare
        API, which drops what it has read."""
        script = f"yes {'x' * 99} | head -c {megabytes}000000"
        command = f"sh -c '{script}'"
        project = self.project({"app": {"image": IMAGE}}, [{"service": "app", "command": command}])
        rivals = [
            self.shell("docker run", f"docker run --rm {IMAGE} {command}"),
            self.shell(
                "docker run --log-driver none",
                f"docker run --rm --log-driver none {IMAGE} {command}",
            ),
            self.bare(1, 1, "sh", "-c", script),
            self.longshore("longshore steps", project, log_format="text"),
            *self.compose_log({"image": IMAGE, "command": command}),
        ]
        rivals = [replace(rival, piped=True, inner=None) for rival in rivals]
        return table(f"{megabytes} MB of log", compare(rivals, 1, warm_ups=0))

    def validate(self) -> str:
        """`validate` on 10, 100, 1,000 and 10,000 steps."""
        rows = []
        for count in (10, 100, 1000, 10_000):
            steps = [{"service": "app", "command": "true", "name": f"s{n}"} for n in range(count)]
            project = self.project({"app": {"image": IMAGE}}, steps)
            command = [str(BIN / "longshore"), "validate", "--dir", str(project)]
            rows.append(Contender(f"validate {count} steps", command))
        return table("validate", compare(rows, min(2, self.runs)))

    def project(self, services: object, steps: object) -> Path:
        """A project directory with the two files, as JSON, which is YAML."""
        path = Path(tempfile.mkdtemp(dir=self.folder))
        (path / "codeship-services.yml").write_text(json.dumps(services, indent=1))
        (path / "codeship-steps.yml").write_text(json.dumps(steps, indent=1))
        return path

    def image(self, name: str, dockerfile: str) -> None:
        """Build ``longshore-bench/NAME``."""
        path = Path(tempfile.mkdtemp(dir=self.folder))
        (path / "Dockerfile").write_text(dockerfile)
        self.docker("build", "-t", f"longshore-bench/{name}", str(path))

    def bare(self, count: int, at_once: int, *command: str) -> Contender:
        """The bare API; the output of a given `command` is read."""
        words = [*(["--read"] if command else []), self.socket, IMAGE, str(count), str(at_once)]
        script = [sys.executable, str(HERE / "bare_engine.py"), *words, *command]
        return Contender("bare engine API", script, inner=float)

    def longshore(
        self, name: str, project: Path, *more: str, log_format: str = "json"
    ) -> Contender:
        """Our command."""
        words = ["steps", "--dir", str(project), "--log-format", log_format, *more]
        inner = _until_verdict if log_format == "json" else None
        return Contender(name, [str(BIN / "longshore"), *words], self.environment, inner=inner)

    def shell(self, name: str, script: str) -> Contender:
        """A shell script."""
        return Contender(name, ["sh", "-ec", script], self.environment)

    def loop(self, count: int, at_once: int) -> str:
        """`docker run`, again and again."""
        return f"seq {count} | xargs -P {at_once} -I{{}} docker run --rm {IMAGE} true"

    def _compose_steps(self, count: int, at_once: int) -> Sequence[Contender]:
        """One service and a `run` a step; what is to be done together as services of one `up`."""
        service = {"image": IMAGE, "command": "true"}
        if at_once == 1:
            return self.compose({"app": service}, count, at_once)
        return self.compose({f"s{n}": service for n in range(count)}, 0, at_once)

    def compose(
        self, services: Mapping[str, object], count: int, at_once: int
    ) -> Sequence[Contender]:
        """`docker compose run` for `count` steps, or `up` for 0, as somebody without us would."""
        if not self.has_compose:
            return []
        base = self.compose_project(services)
        one = f"{base} run --rm -T app > /dev/null 2>&1 < /dev/null"
        steps = f"seq {count} | xargs -P {at_once} -I{{}} sh -c '{one}'" if count else f"{base} up"
        name = "docker compose run" if count else "docker compose up"
        return [self.shell(name, f"{steps}; {base} down -t 0 2>/dev/null")]

    def compose_log(self, app: object) -> Sequence[Contender]:
        """`docker compose run` of a service that writes much."""
        if not self.has_compose:
            return []
        base = self.compose_project({"app": app})
        return [self.shell("docker compose run", f"{base} run --rm -T app; {base} down -t 0")]

    def compose_project(self, services: Mapping[str, object]) -> str:
        """`docker compose`, on a project of its own."""
        path = Path(tempfile.mkdtemp(dir=self.folder)) / "compose.yml"
        path.write_text(json.dumps({"services": services}))
        return f"docker compose -f {path}"

    def docker(self, *words: str) -> None:
        """A docker command that has to work."""
        subprocess.run(["docker", "-H", self.address, *words], check=True, capture_output=True)

    @property
    def socket(self) -> str:
        """The path of the engine's socket."""
        return self.address.removeprefix("unix://")


if __name__ == "__main__":
    main()
