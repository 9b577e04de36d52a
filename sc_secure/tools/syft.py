"""syft: reads an image once and writes its catalogue in one or more formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.transient import classify, failure, with_retries


def catalogue(
    image: ImageReference, outputs: Mapping[str, Path], runner: Runner, environ: Mapping[str, str], temp: Path
) -> None:
    """Read the image from its registry and write its catalogue.

    Args:
        image: what to read.
        outputs: syft's name of a format (`syft-json`, `cyclonedx-json`, `spdx-json`), and the file it goes to.
        runner: runs syft.
        environ: our environment.
        temp: the run's private folder.

    Raises:
        InfrastructureError, NotAuthorised: syft failed, after retries.
    """
    _run(["syft", "scan", image.subject, "--from", "registry", *_flags(outputs)], runner, environ, temp)


def convert(catalogue: Path, form: str, output: Path, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
    """Write another format of a catalogue, without reading the image.

    Args:
        catalogue: a syft-json document.
        form: syft's name of the format to write.
        output: the file to write.
        runner: runs syft.
        environ: our environment.
        temp: the run's private folder.

    Raises:
        InfrastructureError: syft failed.
    """
    _run(["syft", "convert", str(catalogue), *_flags({form: output})], runner, environ, temp)


def _run(words: list[str], runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
    # A configuration of our own: a `.syft.yaml` in the working directory could leave packages out.
    config = temp / "syft.yaml"
    config.write_text("check-for-app-update: false\n")
    argv = [*words, "--config", str(config), "--quiet"]
    env = environment_for("syft", environ, temp, SYFT_CHECK_FOR_APP_UPDATE="false")

    def run() -> None:
        done = runner.run(argv, env=env)
        if done.code != 0:
            raise failure(classify(done.stderr), done.summary())

    with_retries(run)


def _flags(outputs: Mapping[str, Path]) -> list[str]:
    return [flag for name, path in outputs.items() for flag in ("--output", f"{name}={path}")]
