import os
from collections.abc import Callable, Iterator

import pytest

from benchmarks.results import Row, write

RUNS = int(os.environ.get("SC_SECURE_BENCH_RUNS", "5"))
"""How many pairs are counted."""

Record = Callable[[Row], None]
_rows: list[Row] = []


@pytest.fixture
def record() -> Record:
    """Keeps a figure, and says it at once: the whole takes minutes."""

    def keep(row: Row) -> None:
        _rows.append(row)
        print(f"\n{row.what}: {row.ours:.3g} {row.unit}; {row.verdict or 'no target'}", flush=True)

    return keep


@pytest.fixture(scope="session", autouse=True)
def _written() -> Iterator[None]:
    yield
    if _rows:
        print("\n\n" + write(_rows))
