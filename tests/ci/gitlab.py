"""Plays GitLab: runs the jobs of a `.gitlab-ci.yml` whose rules hold, stage by stage, as the docker executor does.

https://docs.gitlab.com/ci/yaml/
"""

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_KEYWORDS = ("workflow", "stages", "default")
_CONDITION = re.compile(r"\$(\w+) == (?:\"([^\"]*)\"|\$(\w+))")
_SHELL = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


@dataclass
class Job:
    """A job that ran."""

    folder: Path
    passed: bool
    log: str
    described: Mapping[str, Any]

    def artifact(self, path: str) -> Path:
        """A file that GitLab keeps, as the job says."""
        kept = self.described["artifacts"]
        reports = kept.get("reports", {}).values()
        assert self.passed or kept["when"] == "always"
        assert path in reports or any(path.startswith(each) for each in kept["paths"]), f"{path} isn't kept"
        return self.folder / path


def jobs(file: Path, variables: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """The jobs of a pipeline with these variables, with what they inherit, in the order of their stages."""
    content = yaml.safe_load(file.read_text())
    if not any(_holds(rule["if"], variables) for rule in content["workflow"]["rules"]):
        return {}
    found: dict[str, Mapping[str, Any]] = {}
    for name, described in content.items():
        if name in _KEYWORDS or name.startswith("."):
            continue
        job = {**content["default"], **_merged(content.get(described.get("extends"), {}), described)}
        if any(_holds(rule["if"], variables) for rule in job["rules"]):
            found[name] = job
    return dict(sorted(found.items(), key=lambda item: content["stages"].index(item[1]["stage"])))


def run(described: Mapping[str, Any], folder: Path, env: Mapping[str, str], token: Callable[[str], str]) -> Job:
    """Runs a job in a folder that is its checkout.

    Args:
        described: the job.
        folder: its checkout, which the job may change.
        env: the machine's and the pipeline's variables, which come before the job's own.
        token: makes an ID token for an audience.
    """
    whole = {name: _expanded(str(value), env) for name, value in described.get("variables", {}).items()} | dict(env)
    whole |= {name: token(each["aud"]) for name, each in described.get("id_tokens", {}).items()}
    script = "\n".join([*described["before_script"], *described["script"]])
    done = _shell(script, folder, whole)
    log = done.stdout
    if "after_script" in described:
        # It can't fail a job: what it leaves is looked at.
        log += _shell("\n".join(described["after_script"]), folder, whole).stdout
    return Job(folder, done.returncode == 0, log, described)


def _shell(script: str, folder: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    words, kept = (*_SHELL, script), {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.run(words, cwd=folder, env=dict(env), text=True, timeout=180, check=False, **kept)


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """As `extends` merges: mappings key by key, everything else as a whole."""
    both = {key: _merged(base[key], own[key]) for key in base if key in own and isinstance(base[key], dict)}
    return {**base, **own, **both}


def _holds(condition: str, variables: Mapping[str, str]) -> bool:
    parts = [_CONDITION.fullmatch(part) for part in condition.split(" && ")]
    assert all(parts), f"no condition that is known here: {condition}"
    return all(part and variables.get(part[1]) == (part[2] or variables.get(part[3])) for part in parts)


def _expanded(value: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], ""), value)
