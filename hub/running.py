"""The running hub, asked from its own machine: over its HTTP API, with an operator's token."""

from dataclasses import dataclass
from typing import Any

import httpx

from hub.errors import HubRefused
from hub.fleet.desk import trust, where
from hub.founding import TOKEN, hub_key
from hub.settings import HubSettings

ASK_S = 30.0


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that answers."""

    http: httpx.Client

    @classmethod
    def find(cls, settings: HubSettings, token: str = "") -> "RunningHub":
        """Find the hub of a data folder.

        Args:
            settings: of the hub.
            token: an operator's; empty takes the one in the hub's folder, where it still lies there.

        Raises:
            HubRefused: there is no hub, it does not run, or there is no token to show.
        """
        hub_key(settings.data)
        url = where(settings)
        if url is None:
            raise HubRefused(f"the hub in {settings.data} does not run; start it: tongtang hub run")
        try:
            carried = token or (settings.data / TOKEN).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise HubRefused(
                f"{settings.data / TOKEN} cannot be read; give an operator's token with --token or TONGTANG_TOKEN"
            ) from error
        headers = {"Authorization": f"Bearer {carried}"}
        return cls(httpx.Client(base_url=url, headers=headers, timeout=ASK_S, trust_env=False, verify=trust(settings)))

    def get(self, path: str, **asked: Any) -> Any:
        """What the hub answers; keywords are the query, those that are None are left out.

        Raises:
            HubRefused: it does not answer, or answers no.
        """
        return self._answered("GET", path, params={name: one for name, one in asked.items() if one is not None})

    def send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """What the hub answers to a body of JSON.

        Raises:
            HubRefused: it does not answer, or answers no.
        """
        return self._answered(method, path, json=body)

    def _answered(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise HubRefused(f"the hub at {self.http.base_url} does not answer: {error}") from error
        if answer.is_success:
            return answer.json()
        try:
            said = answer.json()
            words = f"{said['error']}; {said['what_to_do']}"
        except (ValueError, KeyError, TypeError):
            words = f"the hub answers {answer.status_code}"
        raise HubRefused(words)
