"""`make down`: ends what `make up` started, and only that. `--clean`: then removes all that was made here."""

import shutil
import sys
from pathlib import Path

from devtools import cache, engine, registry
from devtools.console import progress, run_main, say
from devtools.quickstart import password_file
from devtools.sigstore import trial

_MADE_HERE = (
    ".venv",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
    "build",
    "dist",
    "examples/*/.sc/artifacts",
    "examples/*/.sc/bin",
    "examples/*/.sc/run",
    "examples/*/app/site-packages",
    "examples/*/Pulumi.*.yaml",
    "**/__pycache__",
)
"""What the Makefile makes inside the repository; all of it is in .gitignore."""


def down() -> None:
    """Ends the registry, the engine and the Sigstore, where this project started them."""
    if not cache.is_ours(cache.location()):
        say("nothing was started")
        return
    with progress("ending what was started"):
        started = {"registry": registry.stop, "docker engine": engine.stop, "local Sigstore": trial.stop}
        ended = [name for name, stop in started.items() if stop()]
    say(f"ended: {' and '.join(ended)}" if ended else "nothing of ours was running")


def clean() -> None:
    """Removes the cache and what the Makefile made in the repository."""
    # A key pair whose password isn't in the cache is somebody's own.
    kept = cache.location() / "quickstart"
    publics = list(cache.REPOSITORY.glob("examples/*/cosign.pub"))
    made = [public for public in publics if password_file(public, kept).exists()]
    cache.remove()
    say(f"removed {cache.location()}")
    for public in made:
        public.unlink()
        _remove(public.with_suffix(".key"))
    for pattern in _MADE_HERE:
        # A list: the folders are removed while they would be walked.
        for path in list(cache.REPOSITORY.glob(pattern)):
            _remove(path)


def _remove(path: Path) -> None:
    # A link goes, and not what it points to.
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def main() -> None:
    """`make down` and `make clean`."""
    down()
    if "--clean" in sys.argv[1:]:
        clean()


if __name__ == "__main__":
    run_main(main)
