"""Public data sets by name: where they come from, under what terms, and how they are checked."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from warmstart.data.amazon import shape_amazon
from warmstart.data.dataset import Dataset
from warmstart.data.download import Progress, checksum, fetch, published_md5, unpack_zip
from warmstart.data.embedded import embedded
from warmstart.errors import DataError

GROUPLENS = "https://files.grouplens.org/datasets/movielens/"
AMAZON = "https://snap.stanford.edu/data/amazon/productGraph/categoryFiles/"
ML_TERMS = (
    "research and teaching, no redistribution without permission, no commercial use without permission (GroupLens)"
)
ML_CITE = "F. M. Harper and J. A. Konstan, The MovieLens Datasets, ACM TiiS 5(4), 2015"
LATEST_TERMS = "may be redistributed under the same terms, no commercial use without permission (GroupLens)"
AMAZON_TERMS = "research only, no redistribution"
AMAZON_CITE = "R. He and J. McAuley, WWW 2016; J. McAuley et al., SIGIR 2015"
RECEIPT = "source.json"


@dataclass(frozen=True)
class Remote:
    """A file at its official address.

    Parameters
    ----------
    url
        The address.
    md5
        The checksum its publisher names, or None if none is known here.
    """

    url: str
    md5: str | None = None

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PublicData:
    """A data set with a name.

    Parameters
    ----------
    name
        What ``get`` takes.
    what
        One line: users, items, events, texts.
    terms, cite
        Licence or terms of use; how to cite it.
    files
        What is fetched; empty = embedded in an installed package.
    shape
        What turns the unpacked files into tables ``read`` understands, if they are not yet.
    """

    name: str
    what: str
    terms: str
    cite: str
    files: tuple[Remote, ...] = ()
    shape: Callable[[Path], None] | None = None


def _movielens(name: str, what: str, terms: str, md5: str | None = None) -> PublicData:
    return PublicData(name, what, terms, ML_CITE, (Remote(f"{GROUPLENS}{name}.zip", md5),))


def _amazon(name: str, category: str, what: str) -> PublicData:
    files = (Remote(f"{AMAZON}reviews_{category}_5.json.gz"), Remote(f"{AMAZON}meta_{category}.json.gz"))
    return PublicData(name, what, AMAZON_TERMS, AMAZON_CITE, files, shape_amazon)


SOURCES = (
    PublicData(
        "ml-latest-small-2016",
        "671 users, 9,066 films, 100,004 ratings, titles and genres; embedded, no network",
        LATEST_TERMS,
        ML_CITE,
    ),
    _movielens(
        "ml-100k", "943 users, 1,682 films, 100,000 ratings, user table", ML_TERMS, "0e33842e24a9c977be4e0107933c0723"
    ),
    _movielens(
        "ml-1m", "6,040 users, 3,706 films, 1,000,209 ratings, user table", ML_TERMS, "c4d9eecfca2ab87c1945afe126590906"
    ),
    _movielens(
        "ml-latest-small", "the small set of today: about 610 users, 9,700 films, 100,000 ratings", LATEST_TERMS
    ),
    PublicData(
        "goodbooks-10k",
        "53,424 users, 10,000 books, 5,976,479 ratings, titles and authors, no times",
        "CC BY-SA 4.0",
        "Z. Zajac, Goodbooks-10k: a new dataset for book recommendations, FastML, 2017",
        (Remote("https://github.com/zygmuntz/goodbooks-10k/releases/download/v1.0/goodbooks-10k.zip"),),
    ),
    _amazon("amazon-toys-2014", "Toys_and_Games", "19,412 users, 11,924 toys, 167,597 ratings, descriptions"),
    _amazon("amazon-beauty-2014", "Beauty", "22,363 users, 12,101 products, 198,502 ratings, descriptions"),
    _amazon(
        "amazon-sports-2014", "Sports_and_Outdoors", "35,598 users, 18,357 products, 296,337 ratings, descriptions"
    ),
)


def list_sources() -> tuple[PublicData, ...]:
    """All public data sets known by name, the embedded one first.

    Examples
    --------
    >>> [source.name for source in list_sources()][:2]
    ['ml-latest-small-2016', 'ml-100k']
    """
    return SOURCES


def find_source(name: str) -> PublicData:
    """The data set of a name.

    Raises
    ------
    DataError
        If there is none.

    Examples
    --------
    >>> find_source("ml-1m").terms[:21]
    'research and teaching'
    """
    for source in SOURCES:
        if source.name == name:
            return source
    raise DataError(f"no public data set is called {name!r}; known are {', '.join(s.name for s in SOURCES)}")


def get(
    name: str,
    folder: str | Path | None = None,
    *,
    archive: str | Path | None = None,
    progress: Progress | None = None,
) -> Path | Dataset:
    """A public data set: the embedded one as a ``Dataset``, others as a folder for ``read``.

    Parameters
    ----------
    name
        One of ``list_sources``.
    folder
        Where to put it; the data go to ``folder/name``. Not needed for the embedded one.
    archive
        A file (or, for several files, a folder of them) obtained otherwise: nothing is downloaded then.
    progress
        Called with bytes so far and bytes in all.

    Raises
    ------
    DataError
        If the name is unknown, the transfer fails, or a checksum differs.

    Examples
    --------
    >>> get("ml-latest-small-2016").n_users
    671
    """
    source = find_source(name)
    if not source.files:
        return embedded()
    if folder is None:
        raise DataError(f"{name!r} has to be stored; give a folder")
    target = Path(folder) / name
    if (target / RECEIPT).is_file():
        return target
    if archive is not None and len(source.files) > 1 and not Path(archive).is_dir():
        raise DataError(f"{name!r} has {len(source.files)} files; give a folder with {[f.name for f in source.files]}")
    target.mkdir(parents=True, exist_ok=True)
    receipt = {}
    for remote in source.files:
        file, checked = _obtain(remote, target, archive, progress)
        receipt[remote.name] = {"url": remote.url, "sha256": checksum(file), "verified": checked}
        if file.suffix == ".zip":
            unpack_zip(file, target)
    if source.shape:
        source.shape(target)
    (target / RECEIPT).write_text(json.dumps({"name": name, "terms": source.terms, "files": receipt}, indent=1) + "\n")
    return target


Verified = Literal["published MD5", "no checksum is published"]


def _obtain(
    remote: Remote, target: Path, archive: str | Path | None, progress: Progress | None
) -> tuple[Path, Verified]:
    """The file, downloaded or the caller's own, and by what it was checked."""
    if archive is None:
        md5 = remote.md5 or (published_md5(f"{remote.url}.md5") if remote.url.startswith(GROUPLENS) else None)
        file = fetch(remote.url, target / remote.name, md5=md5, progress=progress)
        return file, "published MD5" if md5 else "no checksum is published"
    file = Path(archive) / remote.name if Path(archive).is_dir() else Path(archive)
    if not file.is_file():
        raise DataError(f"there is no file '{file}'; fetch {remote.url} and give its path")
    if remote.md5 and (got := checksum(file, "md5")) != remote.md5:
        raise DataError(f"'{file}' has the MD5 {got}, published is {remote.md5}; it is another or a damaged file")
    copy = target / remote.name
    if file.resolve() != copy.resolve():
        shutil.copyfile(file, copy)
    return copy, "published MD5" if remote.md5 else "no checksum is published"
