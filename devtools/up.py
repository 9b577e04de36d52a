"""`make up`: the quickstart, from a bare machine to a secured image, by a real `pulumi up`."""

import json
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from devtools import cache, engine, environment, plugins, quickstart, registry, tools, venv
from devtools.console import SetupError, capture, run_main, say

_PROJECT = cache.REPOSITORY / "examples" / "quickstart"
_STACK = "dev"
_CONFIG = "config:"
_OURS = {
    "DOCKER_HOST",
    "PULUMI_HOME",
    "PULUMI_BACKEND_URL",
    "PULUMI_CONFIG_PASSPHRASE_FILE",
    "PULUMI_SKIP_UPDATE_CHECK",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION",
}
"""The variables that a person's own shell needs too."""


def main() -> int:
    """Everything, in order; running it again changes nothing."""
    began = time.monotonic()
    say("— tools")
    tools.ensure()
    say("— virtual environment")
    venv.ensure()
    env = environment.base()
    say("— docker engine and registry")
    docker = engine.ensure()
    env["DOCKER_HOST"] = docker.host
    say(f"docker engine {docker.version} at {docker.host} ({'started here' if docker.started else 'found'})")
    images = registry.ensure()
    say(f"registry at {images.address}")
    say("— Pulumi plugins")
    if plugins.prepare(Path(env["PULUMI_HOME"]), env) == "offline":
        # Else each missing plugin costs five download attempts.
        env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    say("— quickstart")
    extra = quickstart.prepare(env, images.address, cache.folder("quickstart"))
    settings = {key.removeprefix(_CONFIG): value for key, value in extra.items() if key.startswith(_CONFIG)}
    variables = {key: value for key, value in extra.items() if not key.startswith(_CONFIG)}
    env.update(variables)
    environment.remember(env, _OURS | variables.keys())
    _select_stack(env)
    if settings:
        _pulumi(env, "config", "set-all", *_plaintext(settings))
    say("— pulumi up")
    code = subprocess.run(["pulumi", *_UP], check=False, cwd=_PROJECT, env=env, stdin=subprocess.DEVNULL).returncode
    registry.remember()
    if code:
        say(f"\n`pulumi up` failed (exit code {code}) after {time.monotonic() - began:.0f} s; its own text is above.")
        return code
    outputs = json.loads(_pulumi(env, "stack", "output", "--json", "--stack", _STACK))
    _show(outputs)
    _report(env)
    _explain(outputs)
    say(f"\ndone in {time.monotonic() - began:.0f} s")
    return 0


# The preview is skipped because nobody is asked, and outputs because they are printed below, readably.
_UP = ["up", "--yes", "--skip-preview", "--suppress-outputs", "--non-interactive", "--stack", _STACK]


def _plaintext(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--plaintext", f"{key}={value}")]


def _select_stack(env: Mapping[str, str]) -> None:
    """Selects the stack, made if needed."""
    backend = env["PULUMI_BACKEND_URL"]
    if backend.startswith("file:///"):
        Path(backend.removeprefix("file://")).mkdir(parents=True, exist_ok=True)
    try:
        _pulumi(env, "stack", "select", _STACK, "--create")
    except SetupError as error:
        if "incorrect passphrase" not in str(error) or not _drop_foreign_salt(env):
            raise
        _pulumi(env, "stack", "select", _STACK, "--create")


def _drop_foreign_salt(env: Mapping[str, str]) -> bool:
    """Takes another cache's passphrase out of the stack's settings, unless something is encrypted by it."""
    file = _PROJECT / f"Pulumi.{_STACK}.yaml"
    ours = env.get("PULUMI_CONFIG_PASSPHRASE_FILE", "").startswith(f"{cache.location()}/")
    if not ours or not file.exists() or "secure:" in (text := file.read_text()):
        return False
    kept = [line for line in text.splitlines(keepends=True) if not line.startswith("encryptionsalt:")]
    file.write_text("".join(kept))
    say(f"{file.name} was made with another passphrase, which encrypts nothing in it: taken out")
    return True


def _pulumi(env: Mapping[str, str], *arguments: str) -> str:
    """What Pulumi prints."""
    answer = capture(["pulumi", *arguments, "--non-interactive"], cwd=_PROJECT, env=env)
    if answer.returncode:
        said = (answer.stderr or answer.stdout).strip()
        raise SetupError(f"`pulumi {arguments[0]} {arguments[1]}` failed (exit code {answer.returncode}):\n{said}")
    return answer.stdout


def _show(outputs: Mapping[str, Any]) -> None:
    """The outputs, one a line, what is in maps and lists indented. On stdout: they are the result."""
    print("\nOutputs:")
    width = max((len(name) for name in outputs), default=0)
    for name, value in outputs.items():
        if isinstance(value, dict) and value:
            parts = cast("dict[str, Any]", value)
            print(f"  {name}:")
            inner = max(len(key) for key in parts)
            for key, part in parts.items():
                print(f"    {key:<{inner}}  {_plain(part)}")
        elif isinstance(value, list) and value:
            print(f"  {name}:")
            for part in cast("list[Any]", value):
                print(f"    - {_plain(part)}")
        else:
            print(f"  {name:<{width}}  {_plain(value)}")


def _report(env: Mapping[str, str]) -> None:
    """Leaves the reports of what was deployed, and says where the page is."""
    state = _pulumi(env, "stack", "export", "--stack", _STACK)
    command = ["sc-secure", "report", "--output", "json"]
    made = subprocess.run(command, check=False, cwd=_PROJECT, env=env, input=state, capture_output=True, text=True)
    if made.returncode:
        raise SetupError(f"`sc-secure report` failed (exit code {made.returncode}):\n{made.stderr.strip()}")
    page = _PROJECT / json.loads(made.stdout)["reports"]["html"]
    print(f"\nReport: {page.relative_to(cache.REPOSITORY)}")


def _plain(value: Any) -> str:
    """A value as a person writes it: no quotes, no `.0` on what the engine made of a whole number."""
    if value in ("", [], {}):
        return "none"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else json.dumps(value)


def _explain(outputs: Mapping[str, Any]) -> None:
    """What to try next."""
    reference = outputs.get("deployable_ref") or outputs.get("deployableRef")
    relative = _PROJECT.relative_to(cache.REPOSITORY)
    print('\nIn a shell with these tools and settings:\n  eval "$(make env)"')
    if reference:
        key = ["--key", str(relative / "cosign.pub"), "--insecure-ignore-tlog=true"]
        print("\nVerify by hand (there's no transparency log here, hence the second flag):")
        _command("cosign", "verify", *key, str(reference))
        for kind in ("cyclonedx", "slsaprovenance1"):
            _command("cosign", "verify-attestation", *key, "--type", kind, str(reference))
    print("\nClose the gate (one of the application's packages has a high advisory), then open it again:")
    where = f"cd {shlex.quote(str(relative))}"
    print(f"  ({where} && pulumi config set failOn high && pulumi up)")
    print(f"  ({where} && pulumi config set failOn critical && pulumi up)")
    print("\nEnd what was started: make down")


def _command(*words: Sequence[str] | str) -> None:
    print(f"  {shlex.join(str(word) for word in words)}")


if __name__ == "__main__":
    run_main(main)
