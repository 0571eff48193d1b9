"""A hub with its real archive, doorkeeper and upload routes on a real port, and nothing else."""

import threading
import time

import httpx
import jwt
import uvicorn
from fastapi import FastAPI

from contract.keys import new_device_key, new_hub_key
from hub.api import packages, uploads
from hub.api.access import Caller, Doorkeeper, Who
from hub.api.problems import add_handlers
from hub.archive.intake import Intake, RoomOfSession
from hub.archive.store import FolderStore
from hub.archive.uploads import UploadFolder

AUDIENCE = "tongtang-hub"


class SmallHub:
    """Serves one device, `device-a`, which stands in `room-a` of every session."""

    def __init__(self, root):
        self.hub_key = new_hub_key()
        self.device_key = new_device_key()
        self.root = root
        self.receipts = []
        self.tokens = []
        self.requests = []
        self.break_chunk = None
        """Called with each PATCH's number before the hub sees it; True drops the connection's answer."""
        self._server = None
        self._thread = None
        self.port = 0
        self.start()

    def caller(self, authorization, cookies):
        token = (authorization or "").removeprefix("Bearer ")
        try:
            claims = jwt.decode(token, self.device_key.public_key(), algorithms=["ES256"], audience=AUDIENCE)
        except jwt.PyJWTError:
            return None
        self.tokens.append(token)
        return Caller(Who.DEVICE, claims["sub"])

    def room_of_session(self, session, room):
        ending = time.time()
        return RoomOfSession("device-a", True, ending, None) if room == "room-a" else None

    def token(self):
        now = time.time()
        claims = {"sub": "device-a", "iat": now, "exp": now + 60, "aud": AUDIENCE, "jti": str(time.perf_counter_ns())}
        return jwt.encode(claims, self.device_key, "ES256")

    def client(self):
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)

    def _app(self):
        async def given(session, room, envelope):
            self.receipts.append((session, room))

        files = FolderStore(self.root / "archive")
        intake = Intake(files, UploadFolder(self.root / "uploads"), self, self.hub_key, time.time, given)
        app = FastAPI()
        app.include_router(packages.router(intake))
        app.include_router(uploads.router(intake))
        add_handlers(app)
        door = Doorkeeper(app, self)

        async def with_faults(scope, receive, send):
            if scope["type"] == "http":
                self.requests.append((scope["method"], scope["path"]))
                if scope["method"] == "PATCH" and self.break_chunk is not None:
                    number = sum(1 for method, _ in self.requests if method == "PATCH")
                    receive = self.break_chunk(number, receive)
            await door(scope, receive, send)

        return with_faults

    def start(self):
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=self.port, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    def stop(self):
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()
