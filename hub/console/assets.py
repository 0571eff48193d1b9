"""The console's own files: hashed into their address, packed once, cached by browsers for ever."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """One file, ready to be sent."""

    plain: bytes
    packed: bytes
    media_type: str


class Assets:
    """Every file of the console by its address; `address` is what pages link to."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._by_name: dict[str, Asset] = {}
        self._address: dict[str, str] = {}
        for path in sorted(folder.iterdir()):
            plain = path.read_bytes()
            name = f"{path.stem}.{hashlib.sha256(plain).hexdigest()[:12]}{path.suffix}"
            media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            self._by_name[name] = Asset(plain, gzip.compress(plain, 9, mtime=0), media_type)
            self._address[path.name] = f"/static/{name}"

    def address(self, file: str) -> str:
        """Where pages find `file`.

        Raises:
            KeyError: the console has no such file.
        """
        return self._address[file]

    def answer(self, request: Request, name: str) -> Response | None:
        """The file at this address, packed where the browser takes it; None where there is none."""
        asset = self._by_name.get(name)
        if asset is None:
            return None
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.packed, media_type=asset.media_type, headers=headers)
        return Response(asset.plain, media_type=asset.media_type, headers=headers)
