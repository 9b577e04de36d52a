"""Google's client library against the fake Google: see `google_client`."""

from typing import Any

import pytest

from tests.clouds.google.server import Google
from tests.clouds.google_client import client_of


@pytest.fixture
def cloud_run(google: Google) -> Any:
    return client_of(google, "run_v2", "services", "ServicesClient")


@pytest.fixture
def secret_manager(google: Google) -> Any:
    return client_of(google, "secretmanager_v1", "secret_manager_service", "SecretManagerServiceClient")
