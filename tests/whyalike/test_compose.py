"""docker-compose.yml and the Dockerfile: what they name, run and set is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from whyalike.app import app
from whyalike.settings import read_settings, variables

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if str(each["image"]).startswith("whyalike")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
ONCE = {"migrate", "indexer", "demo"}
"""What ends by itself."""
OF_POSTGRESQL = {"PGPASSWORD"}
"""Variables that are not ours: libpq reads them."""
TYPED = re.compile(r"docker compose (?:--profile \w+ )?(?:run --rm|exec) (.+?)(?:   |`|$)", re.MULTILINE)


def require_understood(arguments: list[str]) -> None:
    """Raises click's UsageError for a verb or an option that there is not."""
    command, context = get_command(app), None
    while hasattr(command, "get_command"):
        context = command.make_context(arguments[0], [], parent=context, resilient_parsing=True)
        command, arguments = command.get_command(context, arguments[0]), arguments[1:]
        assert command is not None
    command.make_context("whyalike", arguments, parent=context)


@pytest.mark.parametrize("name", [name for name in OURS if "command" in OURS[name]])
def test_every_command_is_one_that_whyalike_understands(name: str) -> None:
    require_understood(OURS[name]["command"])


def test_every_command_that_people_are_told_to_type_is_understood_too() -> None:
    typed = [shlex.split(each) for each in TYPED.findall(TEXT + PAGE)]
    assert len(typed) > 3
    for service, *arguments in typed:
        assert service in SERVICES, service
        if arguments and service in OURS:
            require_understood(arguments)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_its_value_is_allowed(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = OURS[name]["environment"]
    assert set(environment) <= {*variables(), *OF_POSTGRESQL}
    for variable in variables():
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = read_settings()
    grace_s = int(OURS[name].get("stop_grace_period", "10s").removesuffix("s"))
    if "serve" in OURS[name].get("command", []):
        assert grace_s > settings.serve.drain_seconds + settings.serve.shutdown_seconds
    assert settings.database.startswith("postgresql://") and "@postgres/" in settings.database


@pytest.mark.parametrize("name", SERVICES)
def test_nobody_is_root_or_may_write_into_its_image(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in {"root", "0"} and service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service and "network_mode" not in service


def test_no_secret_is_in_the_file_and_none_has_a_default() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if "PASSWORD" in name:
                assert value.startswith("${POSTGRES_PASSWORD:?"), name
    assert all("@" not in url or "://whyalike@" in url for url in re.findall(r"postgresql://\S+", TEXT))


def test_every_name_that_is_referred_to_is_there() -> None:
    volumes, networks = set(COMPOSE["volumes"]), set(COMPOSE["networks"])
    for service in SERVICES.values():
        assert set(service.get("depends_on", ())) <= set(SERVICES)
        assert set(service["networks"]) <= networks
        named = {each.split(":")[0] for each in service["volumes"]}
        assert {each for each in named if each.isidentifier()} <= volumes


def test_whoever_serves_is_healthy_or_not_and_whoever_must_wait_waits() -> None:
    assert "HEALTHCHECK" in DOCKERFILE and "healthcheck" not in SERVICES["api"]
    assert SERVICES["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    done = "service_completed_successfully"
    for name, service in OURS.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"]["condition"] == done
        assert name in ONCE or service["restart"] == "unless-stopped"
    assert SERVICES["api"]["depends_on"]["demo"] == {"condition": done, "required": False}
    assert SERVICES["demo"]["profiles"] == ["demo"]


def test_merged_parts_never_say_two_things_of_one_key() -> None:
    text = yaml.compose(TEXT)
    services = {key.value: value for key, value in text.value}["services"]
    for _, service in services.value:
        for key, merged in service.value:
            if key.value == "<<" and isinstance(merged, yaml.SequenceNode):
                keys = [name.value for part in merged.value for name, _ in part.value if name.value != "<<"]
                assert len(keys) == len(set(keys)), keys


def test_every_variable_that_the_file_asks_for_is_explained() -> None:
    for name in set(re.findall(r"\$\{([A-Z_]+)", TEXT)):
        assert f"`{name}" in PAGE, name


def test_the_image_has_extras_that_there_are_and_the_driver_of_the_database() -> None:
    known = re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    wanted = [re.findall(r"ARG EXTRA=(\S+)", DOCKERFILE)[0], SERVICES["api-gpu"]["build"]["args"]["EXTRA"]]
    for extras in wanted:
        assert "postgres" in extras.split(",") and set(extras.split(",")) <= set(known)
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE) == ["whyalike"]


def test_the_image_for_the_cpu_computes_with_onnx_runtime_and_the_one_for_the_gpu_with_pytorch() -> None:
    assert (
        re.findall(r"ARG RUNTIME=(\S+)", DOCKERFILE) == ["onnx"] and "WHYALIKE_RUNTIME=$RUNTIME" in DOCKERFILE
    )
    assert "onnx" in re.findall(r"ARG EXTRA=(\S+)", DOCKERFILE)[0].split(",")
    assert SERVICES["api-gpu"]["build"]["args"]["RUNTIME"] == "torch"
