"""As much of a hub as enrolment and renewal need, over real HTTP."""

import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
from cryptography import x509

from contract.enrolment import Ticket, fingerprint
from contract.keys import new_hub_key, public_pem
from tests.agent.authority import DAY_S, SmallAuthority

CODE = "7K2M-QX9D-4HTV"


class EnrollingHub:
    """Answers as the hub does; its attributes say what it answers with."""

    def __init__(self) -> None:
        self.key = new_hub_key()
        self.authority = SmallAuthority(time.time())
        self.asked: list[dict] = []
        self.renewals: list[str] = []
        self.device = "shiqiao-3"
        self.tls = True
        self.life_s = 30 * DAY_S
        self.confirmed = True
        self.refusal: tuple[int, dict] | None = None
        self.change_answer = lambda answer: answer
        self.down = False
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if hub.down:
                    self.close_connection = True
                    return
                status, answer = hub.answer(self.path, body, self.headers.get("Authorization", ""))
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 429:
                    self.send_header("Retry-After", "17")
                self.end_headers()
                self.wfile.write(data)

            def date_time_string(self, timestamp=None) -> str:
                return formatdate(time.time(), usegmt=True)

            def log_message(self, *_) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def ticket(self) -> str:
        return Ticket(self.url, CODE, fingerprint(self.key.public_key())).text()

    def answer(self, path: str, body: dict, authorization: str) -> tuple[int, dict]:
        if path == "/api/v1/devices":
            return self._register(body, authorization)
        if self.refusal is not None:
            return self.refusal
        if path == "/api/v1/enrolments":
            self.asked.append(body)
            return self._enrol(body)
        return self._renew(body, authorization.removeprefix("Bearer "))

    def certificate(self, public_key, device: str) -> str:
        now = time.time()
        return self.authority.device(public_key, device, now - self.life_s / 1000, now + self.life_s)

    def _register(self, body: dict, authorization: str) -> tuple[int, dict]:
        self.asked.append(body)
        if body["room"] == "taken":
            return 409, {"detail": "room taken already has device d-0"}
        if authorization != "Bearer tt-operator":
            return 401, {"detail": "no"}
        return 200, {"hub_public_key": public_pem(self.key), "mqtt": {"host": "0.0.0.0", "port": 18830}}

    def _enrol(self, body: dict) -> tuple[int, dict]:
        if not self.confirmed:
            return 202, {"words": "an operator must confirm this machine for room shiqiao-3"}
        key = x509.load_pem_x509_csr(body["csr"].encode()).public_key()
        answer = {
            "device": self.device,
            "room": "shiqiao-3",
            "name": "三年级二班",
            "school": "石桥小学",
            "hub_public_key": public_pem(self.key),
            "certificate": self.certificate(key, self.device),
            "ca": self.authority.pem,
            "mqtt": {"host": "0.0.0.0", "port": 18830, "tls": self.tls},
        }
        return 200, self.change_answer(answer)

    def _renew(self, body: dict, token: str) -> tuple[int, dict]:
        key = x509.load_pem_x509_csr(body["csr"].encode()).public_key()
        try:
            claims = jwt.decode(token, key, algorithms=["ES256"], audience="tongtang-hub")
        except jwt.InvalidTokenError:
            return 401, {"error": "not signed in, or the token is wrong or too old", "what_to_do": "a fresh token"}
        self.renewals.append(claims["sub"])
        return 200, {"certificate": self.certificate(key, claims["sub"]), "ca": self.authority.pem}
