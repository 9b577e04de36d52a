"""Breaks the code that decides, one small change at a time, and says which of them no test noticed.

`make mutants` takes some minutes: it runs the tests of `TARGETS` once for each change. Changes that mean the same are
in `tests/policy/equivalent-mutants.json`, each with its reason; any other that survives is a failure, and so is a
reason for one that doesn't.
"""

import ast
import copy
import importlib.machinery
import json
import multiprocessing
import os
import resource
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import CodeType
from typing import NamedTuple, NoReturn

import hypothesis  # noqa: F401 - what takes long to import is there before each change's process is
import pulumi_command  # noqa: F401
import pydantic  # noqa: F401
import pytest

from devtools.cache import REPOSITORY
from devtools.console import SetupError, run_main, say

EQUIVALENT = REPOSITORY / "tests" / "policy" / "equivalent-mutants.json"

_CPU = 60
"""Seconds of a processor for the tests of one change, which take a few: one that runs for ever is noticed."""
_TIMEOUT = 600
"""Seconds by the clock, for one that waits for ever; a busy machine mustn't pass for one."""


class Target(NamedTuple):
    """A module, and the tests that have to notice when it is changed."""

    path: str
    functions: tuple[str, ...]
    """Only these; none: everything in it."""
    tests: tuple[str, ...]


TARGETS = (
    Target("sc_secure/policy/decision.py", (), ("tests/policy/test_decision.py", "-k", "not many_findings")),
    Target("sc_secure/policy/severity.py", (), ("tests/policy/test_decision.py", "-k", "not many_findings")),
    Target("sc_secure/policy/finding.py", (), ("tests/policy/test_finding.py", "tests/policy/test_decision.py")),
    Target(
        "sc_secure/components/_step.py",
        ("gate", "_passed", "_fingerprint", "failure_words", "checked_timeout", "public", "Step._attempt"),
        (
            "tests/components/test_step.py",
            "tests/components/test_words.py",
            "tests/components/test_memory.py",
            "tests/components/test_image.py",
        ),
    ),
    Target(
        "sc_secure/components/_outputs.py",
        (),
        ("tests/components/test_outputs.py", "tests/components/test_step.py", "tests/components/test_image.py"),
    ),
    Target("sc_secure/components/_deployment.py", (), ("tests/components/test_deployment.py",)),
    Target("sc_secure/steps/soft.py", (), ("tests/steps/test_soft.py",)),
    Target("sc_secure/steps/result.py", (), ("tests/steps/test_result.py",)),
    Target("sc_secure/steps/scan_verdict.py", (), ("tests/steps/test_scan_verdict.py",)),
    Target("sc_secure/steps/verify.py", (), ("tests/steps/test_verify.py",)),
    Target("sc_secure/steps/attachments.py", (), ("tests/steps/test_attachments.py",)),
)

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_WITHOUT = [word for plugin in ("cacheprovider", "cov", "xdist") for word in ("-p", f"no:{plugin}")]
_LEFT_ALONE = ("annotation", "returns", "type_params", "decorator_list")
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What one node may become."""
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in _SWAPPED:
                changed = copy.deepcopy(node)
                changed.ops[index] = _SWAPPED[type(operator)]()  # type: ignore[call-overload]
                yield changed
    elif isinstance(node, ast.BoolOp | ast.BinOp | ast.AugAssign) and type(node.op) in _SWAPPED:
        changed = copy.deepcopy(node)
        changed.op = _SWAPPED[type(node.op)]()  # type: ignore[assignment]
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield node.operand
    elif isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        yield ast.Name(_NAMES[node.id], node.ctx)
    elif isinstance(node, ast.Constant):
        yield from _other_values(node)
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            changed = copy.deepcopy(node)
            changed.test = ast.Constant(value)
            yield changed
    elif isinstance(node, ast.Return) and node.value is not None and _shown(node.value) != "None":
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield ast.Pass()


def _other_values(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(value + "XX")


class _Replace(ast.NodeTransformer):
    """Makes the nth change of a tree; types and docstrings are left alone."""

    def __init__(self, wanted: int) -> None:
        self.count = 0
        self.change: tuple[str, str] | None = None
        self.line = 0
        self._wanted = wanted

    def visit(self, node: ast.AST) -> ast.AST:
        for variant in _variants(node):
            if self.count == self._wanted:
                self.change, self.line = (_shown(node), _shown(variant)), getattr(node, "lineno", 0)
                self.count += 1
                return ast.copy_location(variant, node)
            self.count += 1
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name, value in ast.iter_fields(node):
            if name in _LEFT_ALONE:
                continue
            for index, each in enumerate(value if isinstance(value, list) else [value]):
                if not isinstance(each, ast.AST) or _is_docstring(each) or _is_type(each) or _is_cast(node, each):
                    continue
                new = self.visit(each)
                if isinstance(value, list):
                    value[index] = new
                else:
                    setattr(node, name, new)
        return node


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)


def _is_cast(call: ast.AST, node: ast.AST) -> bool:
    """Whether the node is the type of a call of `cast`, which no one reads when the program runs."""
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "cast"
        and node is call.args[0]
    )


def _shown(node: ast.AST) -> str:
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).splitlines()[0]


class Mutant(NamedTuple):
    """One change."""

    target: Target
    line: int
    name: str
    """`path: before => after`, with a number where there are several alike."""
    source: str
    """The whole module, changed."""


def mutants(target: Target) -> Iterator[Mutant]:
    """All of one module."""
    source = (REPOSITORY / target.path).read_text()
    seen: dict[str, int] = {}
    number = 0
    while True:
        tree = ast.parse(source)
        replace = _Replace(number)
        for node in _roots(tree, target.functions):
            replace.visit(node)
        if replace.change is None:
            return
        number += 1
        name = f"{target.path}: {replace.change[0]} => {replace.change[1]}"
        seen[name] = seen.get(name, 0) + 1
        name += f" ({seen[name]})" if seen[name] > 1 else ""
        yield Mutant(target, replace.line, name, ast.unparse(ast.fix_missing_locations(tree)))


def _roots(tree: ast.Module, functions: tuple[str, ...]) -> list[ast.AST]:
    if not functions:
        return [tree]
    every = {f"{prefix}{node.name}": node for prefix, node in _definitions(tree.body)}
    return [every[name] for name in functions]


def _definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, _Definition]]:
    """A module's classes and functions, and the classes' methods; each with its class's name and a dot before it."""
    for node in body:
        if isinstance(node, _Definition):
            yield prefix, node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{prefix}{node.name}.")


def survives(mutant: Mutant) -> bool:
    """Whether all its tests pass all the same, in a process of its own."""
    process = multiprocessing.get_context("fork").Process(target=_try, args=(mutant,))
    process.start()
    process.join(_TIMEOUT)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode == 0


def _try(mutant: Mutant) -> NoReturn:
    """Ends with pytest's exit code. The changed module is never on disk."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU, _CPU + 1))
    loader, path = importlib.machinery.SourceFileLoader, str(REPOSITORY / mutant.target.path)
    usual = loader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, name: str) -> CodeType | None:
        if os.path.realpath(self.path) == path:
            return compile(mutant.source, path, "exec", dont_inherit=True)
        return usual(self, name)

    loader.get_code = get_code  # type: ignore[method-assign,assignment]
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os._exit(pytest.main(["-qx", *_WITHOUT, *mutant.target.tests]))


def main() -> int:
    """Tries all of them."""
    wanted = sys.argv[1:]
    os.chdir(REPOSITORY)
    known: dict[str, str] = json.loads(EQUIVALENT.read_text())
    every = [each for target in TARGETS if not wanted or target.path in wanted for each in mutants(target)]
    for target in dict.fromkeys(each.target for each in every):
        if not survives(Mutant(target, 0, "", (REPOSITORY / target.path).read_text())):
            raise SetupError(f"The tests of {target.path} fail without any change.")
    left: list[Mutant] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for each, survived in zip(every, pool.map(survives, every), strict=True):
            left += [each] if survived else []
            if survived and each.name not in known:
                say(f"survived, line {each.line}: {each.name}")
    unknown = [each for each in left if each.name not in known]
    names = {each.name for each in left}
    stale = [name for name in known if name not in names and name.partition(":")[0] in {e.target.path for e in every}]
    for name in stale:
        say(f"explained, and no survivor: {name}")
    say(f"{len(every)} changes, {len(every) - len(left)} noticed, {len(left) - len(unknown)} explained")
    return 1 if unknown or stale else 0


if __name__ == "__main__":
    run_main(main)
