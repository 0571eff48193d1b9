"""A whole hub process with a three-line HTTP side: `python -m tests.hub.small_hub FOLDER BROKER DATABASE WORKERS`."""

import asyncio
import sys
from pathlib import Path

from hub.parts import HubParts
from hub.service import HubService, init
from hub.session.views import NewSession
from hub.settings import HttpSettings, HubSettings, IntakeSettings, LessonSettings, MqttSettings


def app_of(parts: HubParts):
    """`POST /` makes a session, `GET /` shows the newest one."""

    async def answer(send, status, body):
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["method"] == "POST":
            asked = NewSession.model_validate_json((await receive())["body"])
            view = await asyncio.to_thread(parts.conductor.create, asked)
            await answer(send, 201, view.model_dump_json().encode())
        else:
            views = await asyncio.to_thread(parts.conductor.views)
            await answer(send, 200, views[0].model_dump_json().encode() if views else b"null")

    return app


def settings_of(folder: Path, broker: str, database: str = "", workers: int = 1) -> HubSettings:
    return HubSettings(
        data=folder,
        broker=broker,
        database=database,
        intake=IntakeSettings(workers=workers),
        http=HttpSettings(port=0),
        mqtt=MqttSettings(port=0, tls=False),
        lesson=LessonSettings(lead_s=0.5, grace_s=20),
    )


if __name__ == "__main__":
    folder, broker, database, workers = sys.argv[1:]
    settings = settings_of(Path(folder), broker, database, int(workers))
    init(settings.data, settings.database)
    asyncio.run(HubService(settings, app_of).run())
