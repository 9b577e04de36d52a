"""The container definitions: exactly what is asked for, in an order that depends on nothing."""

from typing import Any

from tests.components.aws_mocked import ACCOUNT, IMAGE, REGION, containers, declared, later

SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:database-AbCdEf"
PARAMETER = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/web/token"
LOG = {
    "logDriver": "awslogs",
    "options": {
        "mode": "non-blocking",
        "max-buffer-size": "25m",
        "awslogs-group": "web-logs-1a2b3c4",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "web",
    },
}
BARE = {"essential": True, "logConfiguration": LOG}

EVERYTHING: dict[str, Any] = {
    "port": 8080,
    "command": ["serve", "--verbose"],
    "entry_point": ["/app"],
    "working_directory": "/srv",
    "environment": {"B": later("2"), "A": "1"},
    "secrets": {"TOKEN": PARAMETER, "PASSWORD": later(f"{SECRET}:password::")},
    "health_check": {
        "command": ["CMD-SHELL", "wget -q -O- http://127.0.0.1:8080/healthz"],
        "interval_seconds": 10,
        "timeout_seconds": 3,
        "retries": 2,
        "start_period_seconds": 30,
    },
    "read_only_root_filesystem": True,
    "writable_paths": ["/var/run", "/tmp"],  # noqa: S108 - a path in a container
    "user": "1000:1000",
    "stop_timeout_seconds": 60,
    "ulimits": [{"name": "nofile", "soft": 1024, "hard": 4096}, {"name": "core", "soft": 0, "hard": 0}],
    "drop_capabilities": ["NET_RAW", "ALL"],
    "registry_credentials_arn": SECRET,
}
DEFINED: dict[str, Any] = {
    "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
    "command": ["serve", "--verbose"],
    "entryPoint": ["/app"],
    "workingDirectory": "/srv",
    "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "secrets": [{"name": "PASSWORD", "valueFrom": f"{SECRET}:password::"}, {"name": "TOKEN", "valueFrom": PARAMETER}],
    "healthCheck": {
        "command": ["CMD-SHELL", "wget -q -O- http://127.0.0.1:8080/healthz"],
        "interval": 10,
        "timeout": 3,
        "retries": 2,
        "startPeriod": 30,
    },
    "readonlyRootFilesystem": True,
    "user": "1000:1000",
    "stopTimeout": 60,
    "ulimits": [
        {"name": "core", "softLimit": 0, "hardLimit": 0},
        {"name": "nofile", "softLimit": 1024, "hardLimit": 4096},
    ],
    "linuxParameters": {"capabilities": {"drop": ["ALL", "NET_RAW"]}},
    "repositoryCredentials": {"credentialsParameter": SECRET},
}


def mounts(name: str) -> list[dict[str, Any]]:
    paths = {f"{name}-writable-0": "/tmp", f"{name}-writable-1": "/var/run"}  # noqa: S108
    return [{"sourceVolume": volume, "containerPath": path, "readOnly": False} for volume, path in paths.items()]


def test_a_container_says_no_more_than_it_was_told() -> None:
    assert containers() == [{"name": "web", "image": IMAGE, **BARE}]


def test_everything_of_the_main_container() -> None:
    expected = {"name": "web", "image": IMAGE, "mountPoints": mounts("web"), **BARE, **DEFINED}
    assert containers(**EVERYTHING) == [expected]


def test_everything_of_a_sidecar() -> None:
    sidecar = {**EVERYTHING, "name": "proxy", "image": IMAGE, "essential": False, "cpu": 64, "memory": 128}
    made = declared(sidecars=[sidecar])["TaskDefinition web-task-definition"]
    assert made["volumes"] == [{"name": "proxy-writable-0"}, {"name": "proxy-writable-1"}]
    expected = {"name": "proxy", "image": IMAGE, "mountPoints": mounts("proxy"), **BARE, **DEFINED}
    assert containers(sidecars=[sidecar])[1] == expected | {"essential": False, "cpu": 64, "memory": 128}


def test_the_same_arguments_in_another_order_are_the_same_text() -> None:
    def text(**changes: Any) -> str:
        return declared(**changes)["TaskDefinition web-task-definition"]["containerDefinitions"]

    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return value

    sidecars = [{"name": "b", "image": IMAGE}, {"name": "a", "image": IMAGE}]
    lists = {"drop_capabilities": ["ALL", "NET_RAW"], "ulimits": list(reversed(EVERYTHING["ulimits"]))}
    there = text(**EVERYTHING, sidecars=sidecars)
    back = text(**turned(EVERYTHING) | lists, sidecars=[*reversed(sidecars)])
    assert back == there


def test_what_waits_for_what() -> None:
    check = {"command": ["CMD", "/healthy"]}
    sidecars = [
        {"name": "proxy", "image": IMAGE, "health_check": check},
        {"name": "migrate", "image": IMAGE, "essential": False},
    ]
    depends_on = [
        {"container": "proxy", "condition": "HEALTHY"},
        {"container": "migrate", "condition": "SUCCESS"},
    ]
    main = containers(sidecars=sidecars, depends_on=depends_on)[0]
    assert main["dependsOn"] == [
        {"containerName": "migrate", "condition": "SUCCESS"},
        {"containerName": "proxy", "condition": "HEALTHY"},
    ]


def test_the_tasks_size_is_not_the_main_containers() -> None:
    main = containers(cpu=512, memory=1024)[0]
    assert {"cpu", "memory"} & set(main) == set()
