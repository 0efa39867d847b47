"""Files from public addresses: resumable, checked, with progress; and archives unpacked without surprises."""

from __future__ import annotations

import hashlib
import re
import shutil
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path, PurePosixPath

from warmstart.errors import DataError

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all (None = not told)
CHUNK = 1 << 18
TIMEOUT = 60.0  # seconds without a byte
LARGEST = 40 * 2**30  # bytes an archive may unpack to
MD5 = re.compile(r"\b[0-9a-f]{32}\b", re.IGNORECASE)


def checksum(path: Path, algorithm: str = "sha256") -> str:
    """Hex digest of a file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "x").write_bytes(b"warm")
    ...     checksum(Path(folder) / "x", "md5")
    'a957a3153eb7126b1c5f8b6aac35de53'
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def fetch(url: str, target: Path, *, md5: str | None = None, progress: Progress | None = None) -> Path:
    """Download to ``target``; what an earlier, broken call left in ``target.part`` is continued.

    Parameters
    ----------
    url
        An http or https address.
    target
        Where the file goes; if it is there and its checksum fits, nothing is fetched.
    md5
        Published checksum (hex), or None.
    progress
        Called with bytes so far and bytes in all.

    Raises
    ------
    DataError
        If the address does not answer, the transfer breaks off, or the checksum differs.
    """
    if target.is_file() and (md5 is None or checksum(target, "md5") == md5):
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    try:
        _transfer(url, part, progress)
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise DataError(
            f"{url} could not be fetched ({error}); call again to resume, or give the archive you have"
        ) from error
    if md5 is not None and (got := checksum(part, "md5")) != md5:
        part.unlink()
        raise DataError(f"{url} has the MD5 {got}, published is {md5}; the file was dropped: fetch it again")
    part.replace(target)
    _tag(part).unlink(missing_ok=True)
    return target


def published_md5(url: str) -> str | None:
    """The checksum published beside a file under ``url`` (a short text); None if there is none."""
    try:
        with _opened(urllib.request.Request(url)) as answer:
            found = MD5.search(answer.read(4096).decode("ascii", "replace"))
    except (urllib.error.URLError, HTTPException, OSError, ValueError):
        return None
    return found.group(0).lower() if found else None


def _tag(part: Path) -> Path:
    """Beside a partial file: which version of the remote file it belongs to."""
    return part.with_name(part.name + ".etag")


def _opened(request: urllib.request.Request) -> HTTPResponse:
    if request.type not in ("http", "https"):
        raise ValueError("it is no http or https address")
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)  # nosec B310
    return answer


def _transfer(url: str, part: Path, progress: Progress | None) -> None:
    have = part.stat().st_size if part.is_file() and _tag(part).is_file() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "warmstart"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", _tag(part).read_text())
    try:
        with _opened(request) as answer:
            _store(answer, part, have if answer.status == 206 else 0, progress)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        part.unlink()  # the part is longer than the file: begin again
        _transfer(url, part, progress)


def _store(answer: HTTPResponse, part: Path, have: int, progress: Progress | None) -> None:
    length = answer.headers.get("Content-Length")
    total = None if length is None else have + int(length)
    if version := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
        _tag(part).write_text(version)
    with part.open("ab" if have else "wb") as file:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            have += len(chunk)
            if progress:
                progress(have, total)
    if total is not None and have < total:
        raise HTTPException(f"broke off after {have:,} of {total:,} bytes")


def unpack_zip(archive: Path, folder: Path) -> Path:
    """Unpack a zip archive; a single folder around everything falls away.

    Raises
    ------
    DataError
        If it is no zip archive, is damaged, or a member would land outside the folder or is a link.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            members = [m for m in zipped.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX")]
            _refuse_traps(archive, members)
            tops = {PurePosixPath(m.filename).parts[0] for m in members}
            strip = len(tops) == 1 and all(len(PurePosixPath(m.filename).parts) > 1 for m in members)
            for member in members:
                target = folder.joinpath(*PurePosixPath(member.filename).parts[strip:])
                target.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(member) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{archive.name} is no sound zip archive ({error}); fetch it again") from error
    return folder


def _refuse_traps(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        link = (member.external_attr >> 16) & 0o170000 == 0o120000
        if link or path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise DataError(
                f"{archive.name} has the member {member.filename!r}, which leaves the folder; do not trust it"
            )
    if (size := sum(m.file_size for m in members)) > LARGEST:
        raise DataError(f"{archive.name} would unpack to {size / 2**30:,.0f} GiB; unpack it by hand if you trust it")
