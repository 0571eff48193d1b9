"""amqtt's broker, with what it does to subscriptions and retained messages put right."""

from collections.abc import Iterator
from typing import Any

from amqtt.broker import Broker
from amqtt.session import Session


class _Steady(dict[str, Any]):
    """A dict that is iterated as it was when the iteration began.

    amqtt walks through its subscriptions and awaits in between: a device that connects at that
    moment would end another one's session with "dictionary changed size during iteration".
    """

    def __iter__(self) -> Iterator[str]:
        return iter(list(super().__iter__()))

    def items(self) -> Any:
        return list(super().items())


class _OwnRetained(Broker):  # type: ignore[misc]  # amqtt comes without types
    """Gives a client the retained messages of what it subscribed to itself.

    amqtt gives whoever connects those of everybody's subscriptions, past every rule of who may hear what.
    """

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        mine = self._subscriptions.get(subscription[0], [])
        if any(one is session for one, _ in mine):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def make_broker(config: dict[str, Any]) -> Broker:
    """An amqtt broker that is not started yet; on the event loop that will serve it."""
    broker = _OwnRetained(config)
    broker._subscriptions = _Steady()  # noqa: SLF001  see there
    return broker
