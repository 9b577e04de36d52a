"""What `local.Command` and `local.run` do, on the real engine. All of it holds for pulumi-command 1.2.1, too.

The tests of one resource's life share a stack, and each run of the engine is a fixture: it costs seconds, a test none.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, Run, kill

pytestmark = pytest.mark.engine

# Commands come from a file, so that a test can change them; "${name}" in one is the stdout of another.
COMMANDS = """
import json
from pathlib import Path
import pulumi
from pulumi_command import local

made = {}
for name, args in json.loads(Path("commands.json").read_text()).items():
    options = pulumi.ResourceOptions(custom_timeouts=args.pop("timeouts", None))
    for hidden in args.pop("secret", []):
        args[hidden] = pulumi.Output.secret(args[hidden])
    after = args.pop("after", None)
    if after:
        args["environment"] = {"AFTER": made[after].stdout}
    made[name] = local.Command(name, args=local.CommandArgs(**args), opts=options)
"""

LONG = 70 * 1024
LINE = f"head -c {LONG} /dev/zero | tr '\\0' x"

FIRST: dict[str, dict[str, Any]] = {
    "plain": {"create": "echo plain >> ran; echo out; echo; echo err >&2"},
    "after": {"create": 'echo "after $AFTER"', "after": "plain"},
    "place": {"create": "pwd; echo $HOME; echo $GIVEN", "environment": {"GIVEN": "given", "HOME": "/nowhere"}},
    "dir": {"create": "pwd", "dir": "/"},
    "interpreter": {"create": "print(6 * 7)", "interpreter": ["python3", "-c"]},
    "stdin": {"create": "cat", "stdin": "from stdin"},
    "long": {"create": LINE, "logging": "none"},
    "quiet": {"create": "echo quiet-line", "logging": "none"},
    "half": {"create": "echo half-out; echo half-err >&2", "logging": "stderr"},
    "loud": {"create": "echo loud-line"},
    "secret": {"create": "echo $TOKEN", "environment": {"TOKEN": "hush"}, "secret": ["environment"]},
    "meets-1": {"create": "touch here-1; until [ -e here-2 ]; do sleep 0.05; done"},
    "meets-2": {"create": "touch here-2; until [ -e here-1 ]; do sleep 0.05; done"},
    "files": {
        "create": "mkdir -p made/sub; touch made/a.txt made/sub/b.txt made/not.txt made/c.md",
        "asset_paths": ["made/**.txt", "!**/not.*"],
        "archive_paths": ["made/*.{md,txt}"],
    },
    "env-changes": {"create": "echo env-changes >> ran; echo $A", "environment": {"A": "1"}},
    "has-update": {"create": "echo created", "update": "echo has-update >> ran; echo updated", "stdin": "1"},
    "logging-changes": {"create": "echo logging-changes >> ran"},
    "delete-changes": {"create": "echo delete-changes >> ran", "delete": "echo delete-1 >> ran"},
    "triggered": {"create": "echo triggered >> ran", "delete": "echo old-delete >> ran", "triggers": ["1"]},
    "remembers": {"create": "echo first; echo first-err >&2"},
    "forgets": {"create": "echo first", "add_previous_output_in_env": False},
    "goes": {"create": "echo made", "delete": 'echo "gone, was $PULUMI_COMMAND_STDOUT" >> ran'},
    "breaks": {"create": "echo good"},
    "grows": {"create": f"{LINE}; {LINE}", "logging": "none"},
}
SHOWS = 'echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR"'
SECOND: dict[str, dict[str, Any]] = FIRST | {
    "env-changes": {"create": "echo env-changes >> ran; echo $A", "environment": {"A": "2"}},
    "has-update": FIRST["has-update"] | {"stdin": "2"},
    "logging-changes": FIRST["logging-changes"] | {"logging": "none"},
    "delete-changes": FIRST["delete-changes"] | {"delete": "echo delete-2 >> ran"},
    "triggered": FIRST["triggered"] | {"triggers": ["2"], "delete": "echo new-delete >> ran"},
    "remembers": {"create": "echo first; echo first-err >&2", "update": SHOWS},
    "forgets": FIRST["forgets"] | {"update": SHOWS},
    "plain": FIRST["plain"] | {"create": "echo plain >> ran; echo other"},
}
SECOND.pop("goes")
BROKEN: dict[str, dict[str, Any]] = SECOND | {
    "never-made": {"create": "echo said; echo cried >&2; exit 3"},
    "breaks": {"create": "echo half-way; exit 4"},
    "grows": {"create": "echo small", "logging": "none"},
    "slow": {"create": "(sleep 2.5; touch outlived) & exec sleep 60", "timeouts": {"create": "1s"}},
}


@dataclass
class Phase:
    """A run, and what the project looked like after it."""

    run: Run
    resources: dict[str, dict[str, Any]]
    ran: list[str]
    seconds: float

    def stdout(self, name: str) -> Any:
        return self.resources[name]["outputs"]["stdout"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pulumi_env: dict[str, str]) -> Project:
    return Project(tmp_path_factory.mktemp("command"), pulumi_env, COMMANDS)


def _phase(project: Project, commands: dict[str, dict[str, Any]], run: Callable[[], Run]) -> Phase:
    project.write("commands.json", commands)
    (project.folder / "ran").unlink(missing_ok=True)
    began = time.monotonic()
    done = run()
    return Phase(done, project.resources(), project.lines("ran"), time.monotonic() - began)


@pytest.fixture(scope="module")
def previewed(project: Project) -> Phase:
    return _phase(project, FIRST, project.preview)


@pytest.fixture(scope="module")
def created(project: Project, previewed: Phase) -> Phase:
    return _phase(project, FIRST, project.up)


@pytest.fixture(scope="module")
def unchanged(project: Project, created: Phase) -> Phase:
    return _phase(project, FIRST, lambda: project.up("--refresh"))


@pytest.fixture(scope="module")
def foreseen(project: Project, unchanged: Phase) -> Phase:
    return _phase(project, SECOND, project.preview)


@pytest.fixture(scope="module")
def changed(project: Project, foreseen: Phase) -> Phase:
    return _phase(project, SECOND, project.up)


@pytest.fixture(scope="module")
def broken(project: Project, changed: Phase) -> Phase:
    return _phase(project, BROKEN, lambda: project.up("--continue-on-error"))


@pytest.fixture(scope="module")
def destroyed(project: Project, broken: Phase) -> Phase:
    return _phase(project, SECOND, project.destroy)


def test_preview_of_a_create_runs_nothing(previewed: Phase) -> None:
    assert previewed.run.code == 0, previewed.run.text
    assert set(previewed.run.steps.values()) == {"create"}
    assert previewed.ran == []


def test_outputs_lose_one_trailing_newline(created: Phase) -> None:
    assert created.run.code == 0, created.run.text
    assert created.stdout("plain") == "out\n"
    assert created.resources["plain"]["outputs"]["stderr"] == "err"


def test_a_command_sees_what_another_said(created: Phase) -> None:
    assert created.stdout("after") == "after out\n"


def test_runs_in_the_folder_of_the_project(project: Project, created: Phase) -> None:
    assert Path(created.stdout("place").splitlines()[0]).samefile(project.folder)


def test_environment_is_laid_over_that_of_the_cli(created: Phase) -> None:
    assert created.stdout("place").splitlines()[1:] == ["/nowhere", "given"]


def test_dir_is_the_working_directory(created: Phase) -> None:
    assert created.stdout("dir") == "/"


def test_interpreter_runs_the_command(created: Phase) -> None:
    assert created.stdout("interpreter") == "42"


def test_stdin_is_given(created: Phase) -> None:
    assert created.stdout("stdin") == "from stdin"


def test_a_long_line_is_kept_when_it_is_not_logged(created: Phase) -> None:
    assert len(created.stdout("long")) == LONG


def test_logging_chooses_what_is_shown(created: Phase) -> None:
    shown = {message["message"].strip() for message in created.run.messages if message["severity"] != "debug"}
    assert {"loud-line", "half-err"} <= shown
    assert shown.isdisjoint({"half-out", "quiet-line"})
    assert created.stdout("half") == "half-out"


def test_secret_inputs_stay_secret_and_outputs_are_not(created: Phase) -> None:
    resource = created.resources["secret"]
    assert resource["outputs"]["stdout"] == "hush"
    assert "hush" not in str(resource["inputs"])
    assert "hush" not in str(resource["outputs"]["environment"])


def test_asset_and_archive_paths_choose_files(created: Phase) -> None:
    outputs = created.resources["files"]["outputs"]
    assert set(outputs["assets"]) == {"made/a.txt", "made/sub/b.txt"}
    assert set(outputs["archive"]["assets"]) == {"made/a.txt", "made/not.txt", "made/c.md"}


def test_commands_run_at_the_same_time(created: Phase) -> None:
    assert created.stdout("meets-1") == created.stdout("meets-2") == ""


def test_nothing_changed_runs_nothing_and_a_refresh_neither(unchanged: Phase) -> None:
    assert unchanged.run.code == 0, unchanged.run.text
    assert set(unchanged.run.steps.values()) <= {"same", "refresh"}
    assert unchanged.ran == []


def test_preview_of_an_update_runs_nothing(foreseen: Phase) -> None:
    assert foreseen.run.code == 0, foreseen.run.text
    assert foreseen.run.steps["env-changes"] == "update"
    assert foreseen.ran == []


def test_in_preview_outputs_are_unknown_only_when_an_input_changed(foreseen: Phase) -> None:
    # "after" takes the stdout of "plain", whose command changed; nothing touches "loud".
    assert foreseen.run.steps["after"] == "update"
    assert foreseen.run.planned["plain"]["outputs"].get("stdout") != "out\n"
    assert foreseen.run.steps["loud"] == "same"
    assert foreseen.run.planned["loud"]["outputs"]["stdout"] == "loud-line"


@pytest.mark.parametrize("name", ["env-changes", "logging-changes", "delete-changes"])
def test_any_changed_input_updates_in_place_by_running_create(changed: Phase, name: str) -> None:
    assert changed.run.code == 0, changed.run.text
    assert changed.run.steps[name] == "update"
    assert changed.ran.count(name) == 1


def test_an_update_sees_the_new_environment(changed: Phase) -> None:
    assert changed.stdout("env-changes") == "2"


def test_update_runs_in_place_of_create(changed: Phase) -> None:
    assert changed.run.steps["has-update"] == "update"
    assert changed.stdout("has-update") == "updated"
    assert changed.ran.count("has-update") == 1


def test_a_changed_delete_is_not_run(changed: Phase) -> None:
    assert "delete-1" not in changed.ran
    assert "delete-2" not in changed.ran


def test_changed_triggers_replace_and_run_the_old_delete(created: Phase, changed: Phase) -> None:
    assert changed.ran.count("triggered") == changed.ran.count("old-delete") == 1
    assert "new-delete" not in changed.ran
    assert changed.resources["triggered"]["id"] != created.resources["triggered"]["id"]
    assert changed.resources["env-changes"]["id"] == created.resources["env-changes"]["id"]


def test_previous_output_is_in_the_environment_of_an_update(changed: Phase) -> None:
    assert changed.stdout("remembers") == "first/first-err"


def test_previous_output_can_be_kept_out_of_the_environment(changed: Phase) -> None:
    assert changed.stdout("forgets") == "/"


def test_delete_runs_with_the_previous_output(changed: Phase) -> None:
    assert changed.run.steps["goes"] == "delete"
    assert "gone, was made" in changed.ran


def test_a_failed_create_leaves_nothing_but_an_error_with_command_and_output(broken: Phase) -> None:
    assert broken.run.code != 0
    assert "never-made" not in broken.resources
    for part in ("exit status 3", "echo said; echo cried >&2; exit 3", "said\n", "cried\n"):
        assert part in broken.run.text


def test_a_failed_update_keeps_the_old_resource(broken: Phase) -> None:
    assert "exit status 4" in broken.run.text
    assert broken.stdout("breaks") == "good"
    assert broken.resources["breaks"]["inputs"] == FIRST["breaks"]


def test_a_previous_output_of_128_kib_makes_an_update_fail(broken: Phase) -> None:
    assert "argument list too long" in broken.run.text
    assert len(broken.stdout("grows")) == 2 * LONG


def test_a_timeout_kills_the_child_and_waits_for_the_grandchild(project: Project, broken: Phase) -> None:
    assert "touch outlived" in broken.run.text
    assert (project.folder / "outlived").exists()
    assert "slow" not in broken.resources


def test_destroy_runs_each_delete(destroyed: Phase) -> None:
    assert destroyed.run.code == 0, destroyed.run.text
    assert sorted(destroyed.ran) == ["delete-2", "new-delete"]
    assert destroyed.resources == {}


def test_a_long_line_that_is_logged_hangs_the_plugin(tmp_path: Path, pulumi_env: dict[str, str]) -> None:
    project = Project(tmp_path, pulumi_env, COMMANDS)
    hangs = {"create": f"{LINE}; touch said", "timeouts": {"create": "1s"}}
    project.write("commands.json", {"hangs": hangs})
    process = project.start("up", "--yes", "--skip-preview")
    try:
        _until_there(project.folder / "said")
        time.sleep(3)  # the command is at its end, and its time-out passes
        assert process.poll() is None
    finally:
        kill(process)
    assert "hangs" not in project.resources()


def test_ctrl_c_kills_the_child_and_waits_for_the_grandchild(tmp_path: Path, pulumi_env: dict[str, str]) -> None:
    project = Project(tmp_path, pulumi_env, COMMANDS)
    waits = {"create": "(sleep 2; touch outlived) & touch began; exec sleep 60"}
    project.write("commands.json", {"waits": waits})
    process = project.start("up", "--yes", "--skip-preview")
    try:
        _until_there(project.folder / "began")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    finally:
        kill(process)
    assert (project.folder / "outlived").exists()
    assert project.resources() == {}


def _until_there(path: Path) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < end, path
        time.sleep(0.05)


RUN = """
import json
from pathlib import Path
import pulumi
from pulumi_command import local

first = local.Command("first", create="echo later")
local.run(command="echo now >> ran; echo $GIVEN", environment={"GIVEN": "x"})
local.run_output(command=first.stdout.apply(lambda said: f"echo {said} >> ran"))
if Path("fail").exists():
    local.run(command="echo shown; exit 7")
"""


def test_run_runs_in_preview_and_up_where_its_arguments_are_known(tmp_path: Path, pulumi_env: dict[str, str]) -> None:
    project = Project(tmp_path, pulumi_env, RUN)
    project.write("fail", "")
    failed = project.preview()
    assert project.lines("ran") == ["now"]
    assert failed.code != 0
    assert "exit status 7" in failed.text
    assert "shown" in failed.text

    (project.folder / "fail").unlink()
    done = project.up()
    assert done.code == 0, done.text
    assert project.lines("ran") == ["now", "now", "later"]
    assert list(project.resources()) == ["first"]
