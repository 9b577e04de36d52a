"""Components without an engine: Pulumi's own mocks, which record what is declared and answer as the plugins would."""

import itertools
import json
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc

from sc_secure.report.commands import COMMANDS, words_of
from sc_secure.steps.result import StepResult

DIGEST = f"sha256:{'a' * 64}"
REFERENCE = f"registry.example/team/app@{DIGEST}"
STEP_OF = {
    "sbom generate": "sbom",
    "image scan": "scan",
    "image sign": "sign",
    "sbom attach": "attest",
    "provenance attach": "attest",
    "scan attach": "attest",
    "image verify": "verify",
}


class Mocks(mocks.Mocks):
    """Records what is declared; commands print a passing result, unless `answers` says otherwise.

    `outputs`: a type -> what the provider adds to the inputs.
    """

    def __init__(
        self, answers: dict[str, str | None] | None = None, outputs: dict[str, dict[str, Any]] | None = None
    ) -> None:
        self.resources: dict[str, tuple[str, dict[str, Any]]] = {}
        self._answers = answers or {}
        self._outputs = outputs or {}
        self.recorded: dict[str, Any] = {}
        """What the last update recorded: a URN -> its outputs."""
        self.reads = 0
        self.attached: dict[str, list[str]] = {}
        """What the registry lists: an image -> the digests of what is attached to it. Of others it isn't known."""
        self.looks = 0

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources[f"{args.typ}::{args.name}"] = (args.typ, args.inputs)
        outputs = args.inputs | self._outputs.get(args.typ, {})
        if args.typ == "docker:index/image:Image":
            outputs["repoDigest"] = REFERENCE
        if args.typ in COMMANDS:
            command = args.inputs.get("create")
            printed = result_for(command) if isinstance(command, str) else rpc.UNKNOWN
            outputs["stdout"] = self._answers.get(args.name, printed)
        return f"{args.name}-id", outputs

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:
        if args.token == "pulumi:pulumi:readStackResourceOutputs":
            self.reads += 1
            return {"outputs": self.recorded}
        if args.token == "command:local:run":
            return {**args.args, "stdout": self._status(shlex.split(args.args["command"])), "stderr": ""}
        raise AssertionError(f"a program's run calls nothing, but called {args.token}")

    def _status(self, words: list[str]) -> str:
        """What `image status --best-effort` prints."""
        assert words[:3] == [".sc/bin/sc-secure", "image", "status"]
        self.looks += 1
        rows: list[dict[str, Any]] = []
        for image in (word for before, word in itertools.pairwise(words) if before == "--image"):
            there = self.attached.get(image)
            listed = None if there is None else [{"digest": digest, "kind": "x"} for digest in there]
            rows.append({"subject": image, "attached": listed, "reason": "the registry doesn't answer"})
        return json.dumps({"images": rows})

    def of(self, prefix: str) -> dict[str, dict[str, Any]]:
        """The resources whose types start so: `type name` -> inputs, in short: `Service web`."""
        return {
            f"{typ.rpartition(':')[2]} {key.split('::')[1]}": inputs
            for key, (typ, inputs) in self.resources.items()
            if typ.startswith(prefix)
        }

    def commands(self) -> dict[str, str]:
        """A command's name -> its text."""
        kind = "command:local:Command"
        return {
            key.split("::")[1]: inputs.get("create") for key, (typ, inputs) in self.resources.items() if typ == kind
        }


def result_for(command: str, **changes: Any) -> str:
    """The line that a step's command would print."""
    words = words_of({"create": command}) or shlex.split(command)
    if len(words) < 5:
        return ""
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
        "step": STEP_OF[" ".join(words[1:3])],
        "subject": words[words.index("--image") + 1],
        "status": "passed",
        "started_at": now,
        "finished_at": now,
        "outputs": {"path": ".sc/artifacts/x/sbom.json", "predicateType": words[1], "attestationDigest": DIGEST},
    }
    return StepResult(**(fields | changes)).to_line()


def unknown() -> pulumi.Output[Any]:
    """What a preview doesn't know yet; made within a program."""

    async def known() -> bool:
        return False

    async def value() -> None:
        return None

    return pulumi.Output(set(), value(), known())


def run(program: Callable[[], Any], recorder: Mocks, *, preview: bool = False) -> Any:
    """Runs a program, waits for all that it declared, and returns its output's value (None: unknown).

    Raises:
        Exception: what the program, or one of its outputs, raised.
    """
    values: list[Any] = []
    pulumi.runtime.set_mocks(recorder, project="trial", stack="dev", preview=preview)

    @pulumi.runtime.test
    def whole() -> pulumi.Output[None]:
        return pulumi.Output.from_input(program()).apply(values.append)

    whole()
    return values[0] if values else None
