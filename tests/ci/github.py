"""Plays GitHub: runs a workflow's jobs, step by step, as the hosted runner does.

A `run` step is run by bash, with the files by which steps talk to the runner. A `uses` step is a stand-in that checks
what it is given, and does here what the action does there. A job has the permissions that it asks for and no others.

https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.ci.expressions import filled, holds

SHELL = ("bash", "--noprofile", "--norc", "-e")
PINNED = re.compile(r"([\w./-]+)@[0-9a-f]{40}")


@dataclass
class Job:
    """A job, while it runs and after."""

    name: str
    permissions: Mapping[str, str]
    folder: Path
    """Its machine: `workspace`, `home`, `temp`."""
    contexts: dict[str, Any]
    env: dict[str, str]
    result: str = "success"
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    """The steps that ran, by name, action or first line."""

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    def run(self, *command: str, **env: str) -> bool:
        """A program, in the workspace; its output goes to the log."""
        done = subprocess.run(
            command,
            cwd=self.workspace,
            env=self.env | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
            check=False,
        )
        self.log += done.stdout
        return done.returncode == 0


Action = Callable[[Job, Mapping[str, str]], bool]
"""A stand-in: given the job and `with`, it says whether it succeeded."""


@dataclass(frozen=True)
class Event:
    """What a workflow runs for."""

    github: Mapping[str, Any]
    """The `github` context."""
    secrets: Mapping[str, str]
    """Those that the repository has; a fork's pull request gets none of them."""
    variables: Mapping[str, str]
    token: str
    """`GITHUB_TOKEN`."""
    from_a_fork: bool = False


class GitHub:
    """Runs workflows."""

    def __init__(self, folder: Path, machine: Mapping[str, str], actions: Mapping[str, Action]) -> None:
        """Args:
        folder: for the jobs' machines.
        machine: the environment that each machine has.
        actions: name → its stand-in.
        """
        self._folder, self._machine, self._actions = folder, machine, actions
        self._count = 0

    def run(self, workflow: Path, event: Event, identity: Mapping[str, str]) -> dict[str, Job]:
        """The workflow's jobs, in order, with those that were skipped.

        Args:
            workflow: its file.
            event: what it runs for.
            identity: what a job with `id-token: write` has in its environment.
        """
        content = yaml.safe_load(workflow.read_text())
        assert content["permissions"] == {}, "what a job doesn't ask for, it hasn't"
        jobs: dict[str, Job] = {}
        for name, described in content["jobs"].items():
            jobs[name] = self._run_job(name, described, event, jobs, identity)
        return jobs

    def _run_job(
        self,
        name: str,
        described: Mapping[str, Any],
        event: Event,
        before: Mapping[str, Job],
        identity: Mapping[str, str],
    ) -> Job:
        needs = described.get("needs", [])
        needed = {each: before[each] for each in ([needs] if isinstance(needs, str) else needs)}
        permissions = described["permissions"]
        if event.from_a_fork:
            permissions = dict.fromkeys(permissions, "read")
        self._count += 1
        folder = self._folder / f"{self._count}-{name}"
        for each in ("workspace", "home", "temp"):
            (folder / each).mkdir(parents=True)
        (folder / "summary").touch()
        given = {} if event.from_a_fork else event.secrets
        contexts: dict[str, Any] = {
            "github": event.github,
            "secrets": {**given, "GITHUB_TOKEN": event.token},
            "vars": event.variables,
            "steps": {},
            "needs": {each: {"result": job.result, "outputs": job.outputs} for each, job in needed.items()},
        }
        job = Job(name, permissions, folder, contexts, self._environment(folder, event))
        if permissions.get("id-token") == "write":
            job.env |= identity
        status = "success" if all(each.result == "success" for each in needed.values()) else "failure"
        if not holds(described.get("if"), contexts, status):
            job.result = "skipped"
            return job
        for step in described["steps"]:
            if holds(step.get("if"), contexts, job.result) and not self._run_step(job, step):
                job.result = "failure"
        job.outputs = {key: filled(value, contexts) for key, value in described.get("outputs", {}).items()}
        return job

    def _environment(self, folder: Path, event: Event) -> dict[str, str]:
        github = event.github
        of_the_run = {name: github[name] for name in ("sha", "ref", "repository", "actor", "workflow_ref", "run_id")}
        return {
            **self._machine,
            **{f"GITHUB_{name.upper()}": value for name, value in of_the_run.items()},
            "GITHUB_ACTIONS": "true",
            "CI": "true",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(folder / "workspace"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary"),
            "RUNNER_TEMP": str(folder / "temp"),
            "HOME": str(folder / "home"),
        }

    def _run_step(self, job: Job, step: Mapping[str, Any]) -> bool:
        assert set(step) <= {"name", "id", "if", "uses", "with", "run", "env"}, step
        env = {name: filled(value, job.contexts) for name, value in step.get("env", {}).items()}
        if "uses" in step:
            pinned = PINNED.fullmatch(step["uses"])
            assert pinned, f"{step['uses']} isn't pinned to a commit"
            job.ran.append(step.get("name", pinned[1]))
            given = {name: filled(value, job.contexts) for name, value in step.get("with", {}).items()}
            return self._actions[pinned[1]](job, given)
        job.ran.append(step.get("name", step["run"].splitlines()[0]))
        files = {name: job.folder / "temp" / name for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
        for file in files.values():
            file.write_text("")
        script = job.folder / "temp/script.sh"
        script.write_text(step["run"])
        passed = job.run(*SHELL, str(script), **env, **{name: str(file) for name, file in files.items()})
        read = {name: file.read_text().splitlines() for name, file in files.items()}
        job.env |= dict(line.split("=", 1) for line in read["GITHUB_ENV"])
        for added in read["GITHUB_PATH"]:
            job.env["PATH"] = f"{added}:{job.env['PATH']}"
        outputs = dict(line.split("=", 1) for line in read["GITHUB_OUTPUT"])
        job.contexts["steps"][step.get("id", "")] = {"outputs": outputs}
        return passed


def copy(source: Path, target: Path) -> None:
    """A file or a folder's content, into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy(source, target / source.name)
