"""What every part of the `security:` block is: strict, without unknown keys, and never changed once it is read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Block(BaseModel):
    """A mapping of the block. YAML writes its keys in camelCase, a program in snake_case."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, frozen=True, strict=True)
