"""What amqtt asks about each client: may it come in, and may it say or hear this."""

from dataclasses import dataclass
from typing import Any

from amqtt.contexts import Action
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from hub.broker.acl import rules_of
from hub.broker.doorkeeper import Doorkeeper


class DoorPlugin(BaseAuthPlugin, BaseTopicPlugin):  # type: ignore[misc]  # amqtt comes without types
    """The rules, on amqtt. A client's name is its certificate's, whatever user name it sends."""

    @dataclass
    class Config:
        """What amqtt hands on from its configuration."""

        keeper: Any

    @property
    def _keeper(self) -> Doorkeeper:
        keeper: Doorkeeper = self.config.keeper
        return keeper

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the client may come in; a will that it may not have is dropped, as mosquitto does."""
        shown = session.ssl_object.getpeercert() if session.ssl_object is not None else None
        name = self._keeper.name_of(shown)
        if name is None:
            return False
        session.username = name
        if session.will_flag and not rules_of(name).may_publish(session.will_topic or ""):
            session.will_flag = False
        return True

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Whether the client may publish to, subscribe to or receive `topic`."""
        name = session.username if session is not None else None
        if not name or not topic or not self._keeper.admits(name):
            return False
        rules = rules_of(name)
        if action == Action.PUBLISH:
            return rules.may_publish(topic)
        if action == Action.SUBSCRIBE:
            return rules.may_subscribe(topic)
        return rules.may_receive(topic)
