"""Services that ask for keys, over real records."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.testclient import TestClient

from gallery.access.key import Scope, Secret
from gallery.access.keys import Keys
from gallery.database import open_engine
from search_api.app import create_app
from search_api.settings import ServiceSettings
from tests.search_api.conftest import Workshop


@dataclass
class Guarded:
    """A service and its keys."""

    app: FastAPI
    keys: Keys

    def client(self, scope: Scope | None = None) -> TestClient:
        """Someone with a new key of this scope, or with none."""
        secret = self.keys.create("tester", scope=scope)[1] if scope else None
        return self.holding(secret)

    def holding(self, secret: Secret | str | None) -> TestClient:
        text = secret.text if isinstance(secret, Secret) else secret
        headers = {"Authorization": f"Bearer {text}"} if text else {}
        return TestClient(
            self.app, base_url="http://localhost", headers=headers, raise_server_exceptions=False
        )


def guarded(workshop: Workshop, **service: object) -> Guarded:
    """A service over the workshop's galleries, its keys in the same records."""
    engine = open_engine(f"sqlite:///{workshop.root}/records.db")
    settings = ServiceSettings.model_validate(service)
    return Guarded(create_app(workshop.searcher(), service=settings, keys=engine), Keys(engine))
