"""Every program of docs/ecs.md, run as it stands there."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest

from sc_secure import EcrRepositoryArgs, SecuredEcsService, SecuredEcsServiceArgs
from tests.components.aws_mocked import REGION, AwsMocks, statements
from tests.components.mocked import run

PAGE = Path(__file__).parents[2] / "docs/ecs.md"
HOW_TOS = {"existing", "sidecar", "secrets", "spot", "scaled", "locked", "shell"}


class PageMocks(AwsMocks):
    """The page's subnets."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        if args.token == "aws:ec2/getSubnet:getSubnet":
            return {"vpcId": "vpc-1", **args.args}
        return super().call(args)


def test_the_programs_declare_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported: dict[str, pulumi.Output[Any]] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pulumi, "export", exported.__setitem__)
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    mocks = PageMocks()

    def whole() -> pulumi.Output[Any]:
        exec(compile("\n".join(programs), PAGE.name, "exec"), {})  # noqa: S102 - it's our own document
        return exported["service"]

    assert run(whole, mocks).startswith(f"arn:aws:ecs:{REGION}:")
    made = mocks.declared()
    services = {name.split()[1].removesuffix("-service") for name in mocks.of("aws:ecs/service:")}
    assert services == {"web"} | HOW_TOS
    pictured = set(re.findall(r"(?<=<br>)web-[a-z]+(?:-[a-z]+)?", PAGE.read_text()))
    declared = {name.split()[1] for name in made} | set(mocks.commands())
    assert {name for name in pictured if "scaling" not in name and "discovery" not in name} <= declared
    assert not any(name.split()[1].startswith("existing-") for name in made if "Role" in name or "Group" in name)
    rights = statements(made["RolePolicy secrets-execution-policy"]["policy"])
    assert {"ReadSecrets", "ReadParameters", "DecryptSecrets"} < set(rights)
    assert {"Policy scaled-scaling-cpu", "Policy scaled-scaling-requests"} <= set(made)
    assert {"web-verify", "sidecar-verify", "sidecar-verify-proxy"} <= set(mocks.commands())
    assert "--attestation cyclonedx" in mocks.commands()["web-verify"]


def test_every_argument_and_output_is_on_the_page() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text()))
    for args in (SecuredEcsServiceArgs, EcrRepositoryArgs):
        assert set(args.__annotations__) <= named
    assert {name for name in SecuredEcsService.__annotations__ if not name.startswith("_")} <= named
