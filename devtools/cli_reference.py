"""`docs/cli.md`: every command of the command line, from the commands themselves.

`.venv/bin/python -m devtools.cli_reference` writes it anew. It is checked in so that people can read it, and so that
a change of the command line shows in a diff.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from devtools.cache import REPOSITORY
from devtools.console import run_main

if TYPE_CHECKING:
    import click

PAGE = REPOSITORY / "docs/cli.md"
_HEAD = """\
# The command line

Every command, its flags and its exit codes, written from the commands themselves by `python -m devtools.cli_reference`.
`sc-secure COMMAND --help` says the same. stdout is the result, stderr is for people; with `--output json`
the result is one line, in the form of [its schema](schemas/README.md). What goes wrong in a step, required or not,
ends as [outcomes.md](outcomes.md) says.

"""


def commands() -> dict[str, click.Command]:
    """Every command that does something, by its words, as `image scan`."""
    import click  # noqa: PLC0415 - needs the virtual environment

    from sc_secure.cli.root import root  # noqa: PLC0415 - needs the virtual environment

    def under(words: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        if not isinstance(command, click.Group):
            yield words, command
            return
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is None:
                raise LookupError(f"{words} lists {name}, and hasn't got it")
            yield from under(f"{words} {name}".strip(), child)

    return dict(under("", root))


def exit_codes(command: click.Command) -> dict[int, str]:
    """What the end of a command's help says: each code, and its meaning."""
    _, _, rows = (command.epilog or "").partition("Exit codes:\n")
    return {int(code): meaning for code, meaning in re.findall(r"^ +(\d+)  (.+)$", rows, re.MULTILINE)}


def page() -> str:
    """The text of `docs/cli.md`."""
    from sc_secure.cli._epilog import ANY, EXIT_CODES  # noqa: PLC0415 - needs the virtual environment

    shared = _shared()
    known = commands()
    parts = [_HEAD, _exit_codes(EXIT_CODES, ANY), _index(known)]
    parts += [_command(words, command, shared) for words, command in known.items()]
    for title, options in shared.items():
        parts.append(f"## {title}\n\n{_table(list(options.values()))}\n")
    return "".join(parts).rstrip("\n") + "\n"


def _shared() -> dict[str, dict[str, click.Option]]:
    """The flags that several commands share: a title, and each flag by its name."""
    from sc_secure.cli._build import build_options  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.cli._shared import shared_options  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.cli._signing import signer_options  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.cli._verifying import verifier_options  # noqa: PLC0415 - needs the virtual environment

    def options(decorate: object) -> dict[str, click.Option]:
        import click  # noqa: PLC0415 - needs the virtual environment

        @decorate  # type: ignore[operator]
        def nothing() -> None: ...

        return {each.opts[0]: each for each in click.command()(nothing).params if isinstance(each, click.Option)}

    return {
        "Flags of every run": options(shared_options),
        "Flags of those that sign": options(signer_options),
        "Flags of those that verify": options(verifier_options),
        "Flags that say how the image was built": options(build_options),
    }


def _exit_codes(meanings: dict[int, str], always: tuple[int, ...]) -> str:
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in meanings.items())
    any_command = " and ".join(map(str, always))
    return (
        f"## Exit codes\n\n| code | meaning |\n| --- | --- |\n{rows}\n\n"
        f"{any_command} are any command's; of the others, each command names its own below.\n\n"
    )


def _index(known: dict[str, click.Command]) -> str:
    lines = ["## Commands\n", "| command | does | exit codes |", "| --- | --- | --- |"]
    for words, command in known.items():
        codes = ", ".join(map(str, exit_codes(command)))
        lines.append(f"| [`{words}`](#{words.replace(' ', '-')}) | {_first_line(command)} | {codes} |")
    return "\n".join(lines) + "\n\n"


def _command(words: str, command: click.Command, shared: dict[str, dict[str, click.Option]]) -> str:
    import click  # noqa: PLC0415 - needs the virtual environment

    from sc_secure.cli._epilog import EXIT_CODES  # noqa: PLC0415 - needs the virtual environment

    options = [each for each in command.params if isinstance(each, click.Option)]
    own, used = options, []
    for title, group in shared.items():
        same = [each for each in own if each.opts[0] in group and _row(each) == _row(group[each.opts[0]])]
        if len(same) > len(group) / 2:
            own = [each for each in own if each not in same]
            used.append(f"[{title[0].lower()}{title[1:]}](#{title.lower().replace(' ', '-')})")
    examples = re.search(r"Examples:\n(.*?)\n\n", command.epilog or "", re.DOTALL)
    lines = [
        f"## {words}\n",
        f"{inspect.cleandoc(command.help or '')}\n",
        f"```sh\n{inspect.cleandoc(examples[1]) if examples else ''}\n```\n",
    ]
    lines += [_table(own)] if own else []
    lines += [f"{'Also the' if own else 'The'} {', '.join(used)}.\n"] if used else []
    codes = [
        f"{code}" if said == EXIT_CODES[code] else f"{code} ({said})" for code, said in exit_codes(command).items()
    ]
    lines.append(f"[Exit codes](#exit-codes): {', '.join(codes)}.\n")
    return "\n".join(lines) + "\n"


def _first_line(command: click.Command) -> str:
    return " ".join(inspect.cleandoc(command.help or "").split("\n\n")[0].split())


def _table(options: list[click.Option]) -> str:
    return "| flag | default | meaning |\n| --- | --- | --- |\n" + "\n".join(map(_row, options)) + "\n"


def _row(option: click.Option) -> str:
    """As the help says it: the default is in the text where the code has none to show."""
    import click  # noqa: PLC0415 - needs the virtual environment

    flags = ", ".join([*option.opts, *option.secondary_opts])
    if not option.is_flag:
        choices = option.type.choices if isinstance(option.type, click.Choice) else None
        flags += " " + ("|".join(choices) if choices else option.make_metavar(click.Context(click.Command("x"))))
    text, _, said = (option.help or "").partition("  [default: ")
    default = said.removesuffix("]")
    if option.required:
        default = "must be said"
    elif option.show_default and option.default is not None:
        given = option.default if isinstance(option.default, tuple) else (option.default,)
        default = ", ".join(f"`{each}`" for each in given)
    elif not default:
        default = {True: "on", False: "off"}.get(option.default, "") if option.is_flag else ""  # type: ignore[arg-type]
    return f"| `{_cell(flags)}` | {_cell(default)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    """Writes it."""
    PAGE.write_text(page())


if __name__ == "__main__":
    run_main(main)
