"""One file to the hub by the tus protocol 1.0, with time-outs and a fresh token in each request."""

from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx
from tusclient.client import TusClient
from tusclient.uploader import Uploader

from agent.record.trouble import UploadFailed

CHUNK_BYTES = 4 << 20
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""The hub hashes a file before it answers the last chunk, in seconds."""
FORGET = frozenset({400, 404, 409, 410, 413, 422})
"""Answers after which an upload's address is of no more use."""


class UploadLost(UploadFailed):
    """The hub knows this upload no more, or did not take the file; begin it anew."""


def answer_words(response: httpx.Response) -> str:
    """What the hub said, for people."""
    try:
        told = response.json()
        return f"{told['error']}; {told['what_to_do']}"
    except (ValueError, KeyError, TypeError):
        return f"the hub answered {response.status_code} {response.reason_phrase}"


class FileUpload(Uploader):  # type: ignore[misc]  # tuspy comes without types
    """tuspy's uploader, with its three requests sent through `client`: tuspy's own wait for ever on a silent hub."""

    def __init__(
        self,
        client: httpx.Client,
        path: str,
        token: Callable[[], str],
        file: BinaryIO,
        metadata: dict[str, str],
        chunk_bytes: int | None = None,
    ) -> None:
        """Prepare the upload of `file`.

        Args:
            client: has the hub's base URL.
            path: where uploads are created, on the hub.
            token: a device token that is valid now.
            file: open for reading, seekable.
            metadata: what the hub must know: filename, filetype, session, room, sha256.
            chunk_bytes: most bytes of one request; None: `CHUNK_BYTES`.
        """
        self._http = client
        self._create = path
        self._token = token
        self.url: str = ""
        super().__init__(
            file_stream=file, client=TusClient(path), metadata=metadata, chunk_size=chunk_bytes or CHUNK_BYTES
        )

    def resume(self, path: str) -> None:
        """Go on with an upload that was begun before.

        Raises:
            UploadLost: the hub does not know it any more.
            UploadFailed: the hub cannot be reached.
        """
        self.url = path
        self.offset = self.get_offset()

    def get_headers(self) -> dict[str, str]:
        """Headers of the next request."""
        return {**self.DEFAULT_HEADERS, "Authorization": f"Bearer {self._token()}"}

    def get_offset(self) -> int:
        """How many bytes the hub has."""
        response = self._send("HEAD", self.url, self.get_headers())
        return self._offset(response)

    def create_url(self) -> str:
        """Begin an upload; only the path of its address is kept, so that a token never goes to another host."""
        response = self._send("POST", self._create, self.get_url_creation_headers())
        location = response.headers.get("location")
        if not location:
            raise UploadFailed("the hub began an upload and did not say where")
        path: str = urlsplit(urljoin(str(response.url), location)).path
        return path

    def _do_request(self) -> None:
        stream = self.get_file_stream()
        stream.seek(self.offset)
        chunk = stream.read(self.get_request_length())
        headers = {
            **self.get_headers(),
            "Upload-Offset": str(self.offset),
            "Content-Type": "application/offset+octet-stream",
        }
        response = self._send("PATCH", self.url, headers, chunk)
        offset = self._offset(response)
        if offset <= self.offset:
            raise UploadLost(f"the hub took {len(chunk)} bytes and still stands at {offset}")
        self.offset = offset

    def upload_chunk(self) -> None:
        """Send the next chunk; `offset` grows.

        Raises:
            UploadLost: begin anew.
            UploadFailed: try again later.
        """
        if not self.url:
            self.url = self.create_url()
            self.offset = 0
        if self.offset < self.stop_at:
            self._do_request()

    def _offset(self, response: httpx.Response) -> int:
        text = response.headers.get("upload-offset", "")
        if not text.isdigit() or int(text) > self.stop_at:
            raise UploadLost("the hub did not say how far the upload is")
        return int(text)

    def _send(self, method: str, path: str, headers: dict[str, str], content: bytes | None = None) -> httpx.Response:
        try:
            response = self._http.request(method, path, headers=headers, content=content, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            raise UploadFailed(f"the hub cannot be reached: {error or type(error).__name__}") from error
        if response.status_code in FORGET:
            raise UploadLost(answer_words(response))
        if not response.is_success:
            raise UploadFailed(answer_words(response))
        return response
