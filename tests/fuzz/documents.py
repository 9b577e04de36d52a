"""JSON of all shapes, and valid documents with one part replaced by anything."""

import copy
from typing import Any

from hypothesis import strategies as st

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a document."""
    found = [here] if here else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += places(item, (*here, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += places(item, (*here, index))
    return found


def damaged(document: Any) -> st.SearchStrategy[Any]:
    """The document with one part replaced by anything, or left out."""

    @st.composite
    def make(draw: st.DrawFn) -> Any:
        changed = copy.deepcopy(document)
        *way, last = draw(st.sampled_from(places(document)))
        holder = changed
        for step in way:
            holder = holder[step]
        if draw(st.booleans()) and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = draw(anything)
        return changed

    return make()
