"""`python -m sc_secure`, and `python -P …/sc_secure/__main__.py`, as the launcher of a Pulumi program calls it."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:
        # Run by its path: the package's parent folder isn't on the search path, and this folder must not be, since
        # modules of ours would hide others of the same name.
        here = Path(__file__).resolve().parent
        sys.path[:] = [str(here.parent), *(entry for entry in sys.path if entry and Path(entry).resolve() != here)]

    from sc_secure.cli import main

    main()
