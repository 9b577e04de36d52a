"""Roles and their policies."""

import json
import urllib.parse
from typing import Any, ClassVar

import tagging
import validation
from cloud import AwsResource, Gone, asked, picked
from policies import same_policy, valid_policy
from properties import Properties
from resources import AutoName, Operation

_HINT = "must match [\\w+=,.@-]"
_MISSING = frozenset({"NoSuchEntity"})


class Role(AwsResource):
    token = "aws:iam/role:Role"
    service = "iam"
    what = "IAM Role"
    gone = _MISSING
    tagging = tagging.IAM_ROLE
    autoname = AutoName(64)
    replace_on = frozenset({"name", "path"})
    documents: ClassVar = {"assumeRolePolicy": same_policy}
    unsupported = frozenset({"namePrefix", "inlinePolicies", "managedPolicyArns"})
    validations: ClassVar = {
        "assumeRolePolicy": valid_policy,
        "maxSessionDuration": validation.between(3600, 43200),
        "name": validation.name(r"[\w+=,.@-]+", 64, _HINT),
        "permissionsBoundary": validation.arn,
    }

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        request = asked(
            inputs,
            AssumeRolePolicyDocument="assumeRolePolicy",
            Description="description",
            MaxSessionDuration="maxSessionDuration",
            Path="path",
            PermissionsBoundary="permissionsBoundary",
            RoleName="name",
        )
        return api.create_role(**request, **tagging.IAM_ROLE.asked(inputs))["Role"]["RoleName"]

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        role = api.get_role(RoleName=name)["Role"]
        seen = picked(role, arn="Arn", description="Description", name="RoleName", path="Path", uniqueId="RoleId")
        seen["assumeRolePolicy"] = json.dumps(role["AssumeRolePolicyDocument"], separators=(",", ":"))
        seen["createDate"] = role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        seen["maxSessionDuration"] = role.get("MaxSessionDuration", 3600)
        seen["permissionsBoundary"] = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {"forceDetachPolicies": False} | state | seen | tagging.IAM_ROLE.seen(role.get("Tags"))

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        if olds.get("assumeRolePolicy") != news["assumeRolePolicy"]:
            api.update_assume_role_policy(RoleName=name, PolicyDocument=news["assumeRolePolicy"])
        duration = news.get("maxSessionDuration", 3600)
        api.update_role(RoleName=name, Description=news.get("description", ""), MaxSessionDuration=duration)
        if "permissionsBoundary" in news:
            api.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=news["permissionsBoundary"])
        elif "permissionsBoundary" in olds:
            api.delete_role_permissions_boundary(RoleName=name)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        if state.get("forceDetachPolicies"):
            for policy in api.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                api.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
            for policy in api.list_role_policies(RoleName=name)["PolicyNames"]:
                api.delete_role_policy(RoleName=name, PolicyName=policy)
        api.delete_role(RoleName=name)

    def arn(self, name: str, state: Properties) -> str:
        return name


class RolePolicy(AwsResource):
    token = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    what = "IAM Role Policy"
    gone = _MISSING
    autoname = AutoName(255)
    replace_on = frozenset({"name", "role"})
    documents: ClassVar = {"policy": same_policy}
    unsupported = frozenset({"namePrefix"})
    validations: ClassVar = {"name": validation.name(r"[\w+=,.@-]+", 128, _HINT), "policy": valid_policy}

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        self._put(api, inputs["role"], inputs["name"], inputs)
        return f"{inputs['role']}:{inputs['name']}"

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        role, _, policy = name.partition(":")
        document = api.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
        return {"role": role, "name": policy, "policy": urllib.parse.unquote(text)}

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        self._put(api, *name.split(":", 1), news)

    def remove(self, api: Any, name: str, state: Properties) -> None:
        role, _, policy = name.partition(":")
        api.delete_role_policy(RoleName=role, PolicyName=policy)

    def _put(self, api: Any, role: str, name: str, inputs: Properties) -> None:
        api.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=inputs["policy"])


class RolePolicyAttachment(AwsResource):
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    what = "IAM Role Policy Attachment"
    gone = _MISSING
    replace_on = frozenset({"role", "policyArn"})
    validations: ClassVar = {"policyArn": validation.arn}

    def deletes_first(self, news: Properties) -> bool:
        return True  # made first, the new one would be the same as the old and go with it

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        api.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        role, _, arn = name.partition("/")
        attached = api.get_paginator("list_attached_role_policies").paginate(RoleName=role)
        if not any(policy["PolicyArn"] == arn for page in attached for policy in page["AttachedPolicies"]):
            raise Gone
        return {"role": role, "policyArn": arn}

    def remove(self, api: Any, name: str, state: Properties) -> None:
        role, _, arn = name.partition("/")
        api.detach_role_policy(RoleName=role, PolicyArn=arn)
