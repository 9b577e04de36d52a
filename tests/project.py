"""A small Pulumi project on the real engine."""

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devtools import processes

_NOT_STEPS = ("pulumi:", "sc-secure:")
"""Stacks, providers and components: only what a plugin does is a step. A component's command has the same name."""
_ENDED = 120  # seconds: no run here takes a tenth of it


@dataclass
class Run:
    """What one run of the engine did."""

    code: int
    text: str
    steps: dict[str, str] = field(default_factory=dict)
    """Resource name → operation, as `create`, `update`, `same`; the last one of a replacement."""
    planned: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Resource name → what a preview says its state will be."""
    messages: list[dict[str, Any]] = field(default_factory=list)
    begun_and_ended: list[tuple[str, str]] = field(default_factory=list)
    """`("begun", name)` and `("ended", name)`, in the order in which it happened."""


class Project:
    """A project in a folder of its own, with a file backend beside it."""

    def __init__(self, folder: Path, environment: dict[str, str], program: str) -> None:
        self.folder = folder / "project"
        self.folder.mkdir(parents=True)
        self._state = folder / "state"
        self._state.mkdir()
        self._events = folder / "events.json"
        # Debug commands: without them the CLI has no --event-log.
        own = {"PULUMI_BACKEND_URL": f"file://{self._state}", "PULUMI_DEBUG_COMMANDS": "true"}
        self.environment = environment | own
        self.write("Pulumi.yaml", "name: trial\nruntime: python\n")
        self.write("__main__.py", program)
        self._pulumi("stack", "init", "dev")

    def write(self, name: str, content: str | dict[str, Any]) -> None:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    def lines(self, name: str) -> list[str]:
        """Read a file that commands wrote, if any did."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def up(self, *options: str) -> Run:
        return self._engine("up", "--yes", "--skip-preview", *options)

    def preview(self, *options: str) -> Run:
        return self._engine("preview", *options)

    def refresh(self, *options: str) -> Run:
        return self._engine("refresh", "--yes", "--skip-preview", *options)

    def events(self) -> str:
        """The last run's events, as the engine wrote them."""
        return self._events.read_text()

    def destroy(self, *options: str) -> Run:
        return self._engine("destroy", "--yes", "--skip-preview", *options)

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return what the state has of the program's resources, by name."""
        checkpoint = json.loads((self._state / ".pulumi/stacks/trial/dev.json").read_text())
        resources = checkpoint["checkpoint"]["latest"].get("resources", [])
        return {each["urn"].rpartition("::")[2]: each for each in resources if not each["type"].startswith("pulumi:")}

    def outputs(self, name: str) -> dict[str, Any]:
        return self.resources()[name]["outputs"]

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start the CLI without waiting; end it with `kill`."""
        return subprocess.Popen(
            ["pulumi", *command, "--stack", "dev", "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _engine(self, command: str, *options: str) -> Run:
        self._events.unlink(missing_ok=True)
        where = ["--stack", "dev", "--event-log", str(self._events)]
        done = self._pulumi(command, *where, *options, check=False)
        run = Run(done.returncode, done.stdout)
        for line in self._events.read_text().splitlines() if self._events.exists() else []:
            _take(json.loads(line), run)
        return run

    def _pulumi(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,  # it waits for an open pipe
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_ENDED,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout
        return done


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a CLI that never would, and all that it started: language hosts have process groups of their own."""
    if running := processes.Process.of(process.pid):
        running.end(patience=0.5)
    process.wait()


def _take(event: dict[str, Any], run: Run) -> None:
    if "diagnosticEvent" in event:
        run.messages.append(event["diagnosticEvent"])
    for kind in ("resourcePreEvent", "resOutputsEvent"):
        metadata = event.get(kind, {}).get("metadata")
        if metadata is None or metadata["type"].startswith(_NOT_STEPS):
            continue
        name = metadata["urn"].rpartition("::")[2]
        run.steps[name] = metadata["op"]
        run.begun_and_ended.append(("begun" if kind == "resourcePreEvent" else "ended", name))
        if kind == "resOutputsEvent" and metadata.get("new"):
            run.planned[name] = metadata["new"]
