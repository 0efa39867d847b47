"""Public data: resumed, checked, unpacked without traps, or embedded."""

import gzip
import hashlib
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from warmstart.data import sources
from warmstart.data.download import fetch, published_md5, unpack_zip
from warmstart.data.ingest import read
from warmstart.data.sources import PublicData, Remote, find_source, get, list_sources
from warmstart.errors import DataError

BODY = bytes(range(256)) * 4096  # 1 MiB
MD5 = hashlib.md5(BODY).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Serves ``files``; breaks off after ``cut`` bytes once; knows ranges and tags."""

    files: dict = {}  # noqa: RUF012
    cut = None
    tag = '"one"'
    asked: list = []  # noqa: RUF012

    def do_GET(self):
        self.asked.append(self.headers.get("Range"))
        body = self.files.get(self.path)
        if body is None:
            self.send_error(404)
            return
        start = self.range_start()
        if start > len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("ETag", self.tag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        end, type(self).cut = type(self).cut, None
        self.wfile.write(body[start:end])

    def range_start(self):
        asked = self.headers.get("Range")
        fresh = self.headers.get("If-Range") == self.tag
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and fresh else 0

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    class Fresh(Server):
        files = {"/a.bin": BODY, "/a.bin.md5": f"MD5 (a.bin) = {MD5}\n".encode()}  # noqa: RUF012
        asked: list = []  # noqa: RUF012

    http = ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Fresh, f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_download_is_checked_and_told(server, tmp_path):
    _, url = server
    seen = []
    path = fetch(
        f"{url}/a.bin", tmp_path / "a.bin", md5=published_md5(f"{url}/a.bin.md5"), progress=lambda *at: seen.append(at)
    )
    assert path.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_broken_download_is_resumed(server, tmp_path):
    handler, url = server
    handler.cut = 300_000
    with pytest.raises(DataError, match="call again to resume"):
        fetch(f"{url}/a.bin", tmp_path / "a.bin")
    part = (tmp_path / "a.bin.part").stat().st_size
    assert 0 < part <= 300_000
    assert fetch(f"{url}/a.bin", tmp_path / "a.bin", md5=MD5).read_bytes() == BODY
    assert handler.asked == [None, f"bytes={part}-"]


def test_a_changed_file_is_begun_again(server, tmp_path):
    handler, url = server
    handler.cut = 300_000
    with pytest.raises(DataError):
        fetch(f"{url}/a.bin", tmp_path / "a.bin")
    handler.tag, handler.files = '"two"', {"/a.bin": BODY[::-1]}
    assert fetch(f"{url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY[::-1]


def test_a_part_longer_than_the_file_is_begun_again(server, tmp_path):
    _, url = server
    (tmp_path / "a.bin.part").write_bytes(BODY + b"more")
    (tmp_path / "a.bin.part.etag").write_text('"one"')
    assert fetch(f"{url}/a.bin", tmp_path / "a.bin").read_bytes() == BODY


def test_a_wrong_checksum_drops_the_file(server, tmp_path):
    _, url = server
    with pytest.raises(DataError, match="published is 0000"):
        fetch(f"{url}/a.bin", tmp_path / "a.bin", md5="0" * 32)
    assert not (tmp_path / "a.bin").exists()
    assert not (tmp_path / "a.bin.part").exists()


def test_what_does_not_answer(server, tmp_path):
    _, url = server
    with pytest.raises(DataError, match="404"):
        fetch(f"{url}/none", tmp_path / "none")
    assert published_md5(f"{url}/none.md5") is None


def test_what_is_there_is_not_fetched(server, tmp_path):
    handler, url = server
    (tmp_path / "a.bin").write_bytes(BODY)
    fetch(f"{url}/a.bin", tmp_path / "a.bin", md5=MD5)
    assert handler.asked == []


@pytest.mark.parametrize("member", ["../evil", "/evil", "a/../../evil", "c:evil"])
def test_an_archive_stays_in_its_folder(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(member, "x")
    with pytest.raises(DataError, match="leaves the folder"):
        unpack_zip(tmp_path / "x.zip", tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_links_and_broken_archives_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc")
    with pytest.raises(DataError, match="leaves the folder"):
        unpack_zip(tmp_path / "x.zip", tmp_path / "out")
    (tmp_path / "y.zip").write_bytes(b"no zip")
    with pytest.raises(DataError, match="no sound zip"):
        unpack_zip(tmp_path / "y.zip", tmp_path / "out")


def archive_of(folder, top="ml/"):
    with zipfile.ZipFile(folder / "ml.zip", "w") as archive:
        archive.writestr(f"{top}ratings.csv", "userId,movieId,rating,timestamp\n1,10,4,1548936000\n")
        archive.writestr(f"{top}movies.csv", "movieId,title,genres\n10,Alien (1979),Horror\n")
    return folder / "ml.zip"


def test_an_archive_of_ones_own(tmp_path):
    path = get("ml-latest-small", tmp_path / "data", archive=archive_of(tmp_path))
    assert read(path).catalog.title(0) == "Alien (1979)"
    receipt = json.loads((path / "source.json").read_text())
    assert receipt["files"]["ml-latest-small.zip"]["verified"] == "no checksum is published"
    assert get("ml-latest-small", tmp_path / "data") == path  # the receipt is enough: nothing is fetched


def test_an_archive_of_ones_own_is_checked(tmp_path):
    with pytest.raises(DataError, match="another or a damaged file"):
        get("ml-100k", tmp_path / "data", archive=archive_of(tmp_path))
    with pytest.raises(DataError, match="there is no file"):
        get("ml-100k", tmp_path / "data", archive=tmp_path / "none.zip")
    with pytest.raises(DataError, match="has 2 files"):
        get("amazon-toys-2014", tmp_path / "data", archive=archive_of(tmp_path))


def test_a_source_is_downloaded_and_unpacked(server, tmp_path, monkeypatch):
    handler, url = server
    raw = archive_of(tmp_path, top="").read_bytes()
    handler.files = {"/ml.zip": raw}
    files = (Remote(f"{url}/ml.zip", hashlib.md5(raw).hexdigest()),)
    monkeypatch.setattr(sources, "SOURCES", (PublicData("mine", "x", "y", "z", files),))
    path = get("mine", tmp_path / "data")
    assert len(read(path).interactions) == 1
    assert json.loads((path / "source.json").read_text())["files"]["ml.zip"]["verified"] == "published MD5"


def test_amazon_is_shaped(tmp_path):
    review = {"reviewerID": "A1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1372550400}
    meta = [
        "{'asin': 'B1', 'title': \"It's a kit\", 'categories': [['Toys', 'Kits'], ['Toys']]}",
        "__import__('os')",
        "{'asin': 'B2'}",
    ]
    (tmp_path / "in").mkdir()
    for name, text in (("reviews", json.dumps(review)), ("meta", "\n".join(meta))):
        full = f"{name}_Toys_and_Games{'_5' if name == 'reviews' else ''}.json.gz"
        (tmp_path / "in" / full).write_bytes(gzip.compress(text.encode()))
    data = read(get("amazon-toys-2014", tmp_path, archive=tmp_path / "in"))
    assert data.catalog.table.select("item_id", "title", "categories").rows() == [("B1", "It's a kit", "Toys|Kits")]
    assert data.interactions.time.tolist() == [1372550400]


def test_the_embedded_set_needs_no_network():
    data = get("ml-latest-small-2016")
    table = data.catalog.table
    assert (data.n_users, data.n_items, len(data.interactions)) == (671, 9066, 100_004)
    assert data.interactions.has_time
    assert data.interactions.has_rating
    assert table.filter(table["item_id"] == "31").rows() == [("31", "Dangerous Minds", "Drama", 1995)]
    assert not table["genres"].str.contains("no genres").any()


def test_the_list_and_names():
    names = [source.name for source in list_sources()]
    assert len(names) == len(set(names))
    assert all(source.terms and source.cite for source in list_sources())
    assert all(remote.url.startswith("https://") for source in list_sources() for remote in source.files)
    assert all(remote.md5 is None or len(remote.md5) == 32 for s in list_sources() for remote in s.files)
    with pytest.raises(DataError, match="no public data set is called 'ml-2m'; known are ml-latest-small-2016"):
        find_source("ml-2m")
    with pytest.raises(DataError, match="give a folder"):
        get("ml-1m")
