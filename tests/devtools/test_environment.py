import stat
import subprocess
from pathlib import Path

import pytest

from devtools import cache, environment
from devtools.console import SetupError


def test_nothing_is_known_before_the_first_up(own_cache: Path) -> None:
    with pytest.raises(SetupError, match="make up"):
        environment.exports()


def test_a_shell_gets_the_values_and_what_is_printed_holds_no_secret(own_cache: Path) -> None:
    env = {"DOCKER_HOST": "unix:///a b'c", "COSIGN_PASSWORD": 'to$p "secret"', "OTHER": "not asked for"}
    environment.remember(env, {"DOCKER_HOST", "COSIGN_PASSWORD", "MISSING"})
    lines = environment.exports()
    assert not any("secret" in line.replace("/secrets/", "/") for line in lines)
    script = "\n".join([*lines, 'printf "%s|%s|%s" "$DOCKER_HOST" "$COSIGN_PASSWORD" "$OTHER"'])
    shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": "/bin"})
    assert shell.stdout == f"{env['DOCKER_HOST']}|{env['COSIGN_PASSWORD']}|"
    for file in cache.folder("secrets").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
