"""`serviceaccount.Account`, as `google_service_account` does it."""

from typing import Any, ClassVar

from gcp_resource import CLIENT_SIDE, GcpResource
from google_api import told
from libraries import library
from properties import Properties
from resources import AutoName, Operation

_TEXTS = {"displayName": "display_name", "description": "description"}


class Account(GcpResource):
    """An IAM service account."""

    token = "gcp:serviceaccount/account:Account"
    what = "service account"
    replace_on = frozenset({"accountId", "project"})
    autoname = AutoName(longest=30, property="accountId")
    patterns: ClassVar = {"accountId": "^(?:[a-z](?:[-a-z0-9]{4,28}[a-z0-9]))$"}
    defaults: ClassVar = {"deletionPolicy": "DELETE", "disabled": False}
    unsupported = frozenset({"createIgnoreAlreadyExists"})

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        account = {_TEXTS[key]: value for key, value in inputs.items() if key in _TEXTS}
        request = _types().CreateServiceAccountRequest(account_id=inputs["accountId"], service_account=account)
        with told("creating service account"):
            made = self._call("POST", f"projects/{self.project(inputs)}/serviceAccounts", request)
            if inputs["disabled"]:
                self._switch(made.name, disabled=True)
        return made.name, self._outputs(inputs, made, disabled=inputs["disabled"])

    def look(self, name: str, state: Properties) -> Properties:
        account = self._call("GET", name)
        return self._outputs(state, account, disabled=account.disabled)

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        texts = {field: news.get(key, "") for key, field in _TEXTS.items() if news.get(key, "") != olds.get(key, "")}
        with told("updating service account"):
            if texts:
                request = {"service_account": texts, "update_mask": {"paths": list(texts)}}
                self._call("PATCH", name, _types().PatchServiceAccountRequest(request))
            if news["disabled"] != olds["disabled"]:
                self._switch(name, disabled=news["disabled"])
            return self.look(name, news)

    def remove(self, name: str, state: Properties) -> None:
        self.google.call("IAM", "DELETE", name)

    def _call(self, method: str, path: str, request: Any = None) -> Any:
        body = None if request is None else type(request).pb(request)
        answer = _types().ServiceAccount
        return answer.wrap(self.google.call("IAM", method, path, body, answer=lambda: answer.pb(answer())))

    def _switch(self, name: str, *, disabled: bool) -> None:
        self.google.call("IAM", "POST", f"{name}:{'disable' if disabled else 'enable'}")

    def _outputs(self, inputs: Properties, account: Any, *, disabled: bool) -> Properties:
        return {
            "accountId": account.email.partition("@")[0],
            "description": account.description,
            "disabled": disabled,
            "displayName": account.display_name,
            "email": account.email,
            "member": f"serviceAccount:{account.email}",
            "name": account.name,
            "project": account.project_id,
            "uniqueId": account.unique_id,
            **{key: inputs[key] for key in CLIENT_SIDE if key in inputs},
        }


def _types() -> Any:
    return library("iam_admin_v1")
