"""Sends sealed packages to the hub when no lesson needs the link, and lets them go on its receipt alone."""

import json
import logging
import mimetypes
import random
import time
from collections.abc import Callable
from typing import Any

import httpx

from agent.record.expiry import UPLOADED, covers
from agent.record.package import RECEIPT, UPLOAD
from agent.record.store import PackageRef, PackageStore, entries_of, manifest_of, receipt_in, receipt_of
from agent.record.trouble import PackageUnusable, ReceiptWrong, RecordTrouble, UploadFailed
from agent.record.tus import CHUNK_BYTES, FileUpload, UploadLost, answer_words
from agent.rounds import Looked, Rounds
from contract.envelope import Envelope, PublicKey
from contract.package import FileEntry, Manifest, Receipt

log = logging.getLogger(__name__)

UPLOADS = "/api/v1/uploads"
PACKAGES = "/api/v1/packages"
CHUNK_S = 1.0
"""Where the rate is limited, one request holds what may be sent in this many seconds ..."""
CHUNK_LEAST_BYTES = 16 << 10
"""... and at least this much: each request has its own cost."""


class NotQuiet(RecordTrouble):
    """A lesson began; the upload waits and goes on where it stopped."""


class Uploader:
    """A thread that uploads sealed packages whose policy says so.

    A package leaves this machine only when a receipt signed by the hub names every file
    with the size and hash that it has on disk at that moment.
    """

    def __init__(
        self,
        store: PackageStore,
        client: httpx.Client,
        *,
        token: Callable[[], str],
        hub_key: Callable[[], PublicKey | None],
        quiet: Callable[[], bool],
        now: Callable[[], float | None],
        on_uploaded: Callable[[PackageRef, Receipt], None],
        on_trouble: Callable[[str], None],
        keep_uploaded: bool = False,
        most_bps: int = 0,
        chance: random.Random | None = None,
    ) -> None:
        """Prepare.

        Args:
            store: where the packages are.
            client: has the hub's base URL and trust; used by this thread alone.
            token: makes a device token that is valid now; called for each request.
            hub_key: the key that receipts are signed with; None before enrolment.
            quiet: whether no lesson is live.
            now: seconds of hub UTC, for the note about what was deleted; None where unknown.
            on_uploaded: told when a package's receipt is here and right; called again after a restart where kept.
            on_trouble: told once, in words, when uploading fails, and again only after it worked.
            keep_uploaded: whether packages stay here after their receipt.
            most_bps: most bit/s of an upload; 0: as much as there is.
            chance: source of the back-off's jitter.
        """
        self._store = store
        self._client = client
        self._token = token
        self._hub_key = hub_key
        self._quiet = quiet
        self._now = now
        self._on_uploaded = on_uploaded
        self._on_trouble = on_trouble
        self._keep_uploaded = keep_uploaded
        self._most_bps = most_bps
        self._rounds = Rounds("record.upload", self.upload_all, chance)
        self._told: set[str] = set()
        self._done: set[PackageRef] = set()

    def start(self) -> None:
        """Begin to look for packages."""
        self._rounds.start()

    def wake(self) -> None:
        """Look now: a package was sealed, or the link is back."""
        self._rounds.wake()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """End after the chunk under way; returns whether the thread ended in time."""
        return self._rounds.stop(timeout_s)

    def upload_all(self) -> Looked:
        """Upload every package that is due, one after the other."""
        whole = True
        packages = self._store.packages()
        self._done.intersection_update(packages)
        for ref in packages:
            if ref in self._done or self._rounds.stopping.is_set():
                continue
            try:
                self._upload(ref)
            except NotQuiet:
                return Looked.WAITING if whole else Looked.FAILED
            except (RecordTrouble, OSError) as error:
                whole = False
                self._tell(ref, error)
        if whole:
            self._told.clear()
        return Looked.DONE if whole else Looked.FAILED

    def _upload(self, ref: PackageRef) -> None:
        manifest = manifest_of(self._store, ref)
        key = self._hub_key()
        if manifest is None or key is None or not manifest.sealed or not manifest.policy.upload:
            return
        self._be_quiet(ref)
        receipt = receipt_of(self._store, ref, key)
        have = self._have(ref) if receipt is None else set()  # asked before gigabytes are hashed for nothing
        files = self._unchanged(ref, manifest)
        if receipt is None or not covers(receipt, files):
            for entry in files:  # the manifest is the last of them: it completes the package
                if entry not in have:
                    self._send(ref, entry)
            receipt = self._fetch_receipt(ref, files, key)
        self._done.add(ref)
        if not self._keep_uploaded:
            self._store.delete(ref, UPLOADED, self._now() or receipt.stored)
        self._on_uploaded(ref, receipt)

    def _unchanged(self, ref: PackageRef, manifest: Manifest) -> tuple[FileEntry, ...]:
        try:
            files = entries_of(self._store, ref, manifest)
        except FileNotFoundError as error:
            raise PackageUnusable(f"{ref} lacks {error.filename}; it was sealed with it") from error
        changed = [entry.name for entry, was in zip(files, manifest.files, strict=False) if entry != was]
        if changed:
            raise PackageUnusable(f"{ref} is not as it was sealed: {', '.join(changed)} changed; check the disk")
        return files

    def _be_quiet(self, ref: PackageRef) -> None:
        if not self._quiet() or self._rounds.stopping.is_set():
            raise NotQuiet(f"the upload of {ref} waits: a lesson is live")

    def _have(self, ref: PackageRef) -> set[FileEntry]:
        try:
            status = self._get(f"{PACKAGES}/{ref.session}/{ref.room}").json()
            return {FileEntry.model_validate(one) for one in status["have"]}
        except (ValueError, KeyError, TypeError) as error:
            raise UploadFailed("the hub did not say what it has of the package") from error

    def _send(self, ref: PackageRef, entry: FileEntry) -> None:
        metadata = {
            "filename": entry.name,
            "filetype": mimetypes.guess_type(entry.name)[0] or "application/octet-stream",
            "session": ref.session,
            "room": ref.room,
            "sha256": entry.sha256,
        }
        begun = self._begun(ref)
        with self._store.read(ref, entry.name) as file:
            upload = FileUpload(self._client, UPLOADS, self._token, file, metadata, self._chunk_bytes())
            try:
                known = begun.get(entry.name)
                if known is not None and known.get("sha256") == entry.sha256:
                    self._resume(upload, str(known["url"]))
                while not upload.url or upload.offset < entry.bytes:
                    self._be_quiet(ref)
                    before, begun_s = upload.offset, time.monotonic()
                    upload.upload_chunk()
                    self._hold_back(upload.offset - before, time.monotonic() - begun_s)
                    if begun.get(entry.name, {}).get("url") != upload.url:
                        begun[entry.name] = {"url": upload.url, "sha256": entry.sha256}
                        self._keep_begun(ref, begun)
            except UploadLost:
                self._keep_begun(ref, {name: one for name, one in begun.items() if name != entry.name})
                raise
        self._keep_begun(ref, {name: one for name, one in begun.items() if name != entry.name})

    def _chunk_bytes(self) -> int | None:
        return max(CHUNK_LEAST_BYTES, min(CHUNK_BYTES, round(self._most_bps / 8 * CHUNK_S))) if self._most_bps else None

    def _hold_back(self, sent_bytes: int, took_s: float) -> None:
        """Wait until so many bytes have taken as long as the limit allows."""
        if self._most_bps:
            self._rounds.stopping.wait(max(0.0, sent_bytes * 8 / self._most_bps - took_s))

    def _resume(self, upload: FileUpload, url: str) -> None:
        try:
            upload.resume(url)
        except UploadLost:
            upload.url = ""  # it expired on the hub: begin anew

    def _begun(self, ref: PackageRef) -> dict[str, Any]:
        try:
            with self._store.read(ref, UPLOAD) as file:
                begun = json.loads(file.read())
        except (FileNotFoundError, ValueError):
            return {}
        return begun if isinstance(begun, dict) else {}

    def _keep_begun(self, ref: PackageRef, begun: dict[str, Any]) -> None:
        self._store.keep(ref, UPLOAD, json.dumps(begun, indent=1).encode())

    def _fetch_receipt(self, ref: PackageRef, files: tuple[FileEntry, ...], key: PublicKey) -> Receipt:
        text = self._get(f"{PACKAGES}/{ref.session}/{ref.room}/receipt").text
        receipt = receipt_in(text, ref, key)
        if receipt is None:
            raise ReceiptWrong(f"the receipt for {ref} is not signed by our hub; the recording is kept")
        if not covers(receipt, files):
            raise ReceiptWrong(f"the receipt for {ref} has other files or hashes than the disk; the recording is kept")
        self._store.keep(ref, RECEIPT, Envelope.model_validate_json(text).to_json())
        return receipt

    def _get(self, path: str) -> httpx.Response:
        try:
            response = self._client.get(path, headers={"Authorization": f"Bearer {self._token()}"}, timeout=30.0)
        except httpx.HTTPError as error:
            raise UploadFailed(f"the hub cannot be reached: {error or type(error).__name__}") from error
        if not response.is_success:
            raise UploadFailed(answer_words(response))
        return response

    def _tell(self, ref: PackageRef, error: Exception) -> None:
        words = f"the lesson package {ref} is not uploaded yet: {error}"
        log.info(words)
        kind = "hub" if isinstance(error, UploadFailed) else f"{ref} {type(error).__name__}"
        if kind not in self._told:
            self._told.add(kind)
            self._on_trouble(words)
