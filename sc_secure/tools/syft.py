"""syft: reads an image once and writes its catalogue in one or more formats."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sc_secure.errors import InfrastructureError
from sc_secure.tools.environment import environment_for
from sc_secure.tools.process import Runner
from sc_secure.tools.reference import ImageReference
from sc_secure.tools.transient import classify, failure, with_retries

_NOT_THERE = re.compile(r"GET \S+/manifests/\S+: (MANIFEST_UNKNOWN|NAME_UNKNOWN|unexpected status code 404)")
"""How registries say that there is no such image; the address, which may hold anything, is before it."""


class Syft:
    """Runs syft.

    Args:
        runner: runs programs.
        environ: our environment.
        temp: the run's private folder.
    """

    def __init__(self, runner: Runner, environ: Mapping[str, str], temp: Path) -> None:
        self._runner = runner
        self._environ = environ
        self._temp = temp

    def catalogue(self, image: ImageReference, outputs: Mapping[str, Path]) -> None:
        """Read the image from its registry and write its catalogue.

        Args:
            image: what to read.
            outputs: syft's name of a format (`syft-json`, `cyclonedx-json`, `spdx-json`), and the file it goes to.

        Raises:
            InfrastructureError, NotAuthorised: syft failed, after retries.
        """
        self._run(["syft", "scan", image.subject, "--from", "registry", *_flags(outputs)])

    def convert(self, catalogue: Path, form: str, output: Path) -> None:
        """Write another format of a catalogue, without reading the image.

        Args:
            catalogue: a syft-json document.
            form: syft's name of the format to write.
            output: the file to write.

        Raises:
            InfrastructureError: syft failed.
        """
        self._run(["syft", "convert", str(catalogue), *_flags({form: output})])

    def _run(self, words: list[str]) -> None:
        # A configuration of our own: a `.syft.yaml` in the working directory could leave packages out.
        config = self._temp / "syft.yaml"
        config.write_text("check-for-app-update: false\n")
        # Without --quiet, which hides what went wrong: it tells a registry's refusal from a bad moment.
        argv = [*words, "--config", str(config)]
        env = environment_for("syft", self._environ, self._temp, SYFT_CHECK_FOR_APP_UPDATE="false", NO_COLOR="1")

        def run() -> None:
            done = self._runner.run(argv, env=env)
            if done.code != 0 and _NOT_THERE.search(done.stderr):
                raise InfrastructureError(
                    f"the registry doesn't hold this image: {done.summary()}",
                    advice="push the image first; `crane digest` prints its digest",
                )
            if done.code != 0:
                raise failure(classify(done.stderr), done.summary())

        with_retries(run)


def _flags(outputs: Mapping[str, Path]) -> list[str]:
    return [flag for name, path in outputs.items() for flag in ("--output", f"{name}={path}")]
