"""Values and the digests of their bytes, the same for ever: a change here makes every stored key another.

``python -c "from tests.keys.golden import main; main()"`` prints what they are now.
"""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict, deque, namedtuple
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, Flag, IntEnum
from fractions import Fraction
from io import BytesIO
from ipaddress import ip_address, ip_network
from pathlib import Path, PurePosixPath, PureWindowsPath
from struct import pack
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from cachery.keys.canonical import encode
from cachery.keys.digest import digest


class Color(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


class Access(Flag):
    READ = 1
    WRITE = 2


Pair = namedtuple("Pair", "left right")  # noqa: PYI024 - as people write them


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


class Text(str):  # noqa: SLOT000 - it has attributes
    pass


class Keyed:
    def __init__(self, name: str) -> None:
        self.name = name

    def __cache_key__(self) -> object:
        return self.name


def zone_named(key: str) -> tzinfo:
    """Return a zone of this name, always at UTC, so that no system has to know it."""
    one_type = pack(">4sc15x6lll?B4s", b"TZif", b"\0", 0, 0, 0, 0, 1, 4, 0, 0, False, 0, b"UTC\0")
    return ZoneInfo.from_file(BytesIO(one_type), key=key)


def text_with_attribute() -> Text:
    text = Text("a")
    text.language = "en"  # type: ignore[attr-defined]
    return text


NOON = datetime(2024, 2, 29, 12, 30, 15, 5)  # noqa: DTZ001 - without a zone on purpose

VALUES: dict[str, object] = {
    "None": None,
    "True": True,
    "False": False,
    "0": 0,
    "1": 1,
    "-255": -255,
    "2**20000": 2**20000,
    "0.0": 0.0,
    "-0.0": -0.0,
    "0.1": 0.1,
    "nan": float("nan"),
    "-inf": float("-inf"),
    "1-2j": 1 - 2j,
    "empty": "",
    "text": "key, κλειδί, 鍵, 🗝",
    "surrogate": "\ud83d",
    "bytes": b"\x00:\xff",
    "bytearray": bytearray(b"\x00:\xff"),
    "tuple": (1, "x"),
    "list": [1, "x"],
    "set": {"a", "b", "c", 1, None, (2, "d")},
    "frozenset": frozenset({"a", "b", "c", 1, None, (2, "d")}),
    "dict": {"b": [2], "a": {"x": (), 1: None}, None: 0.5},
    "OrderedDict": OrderedDict(b=2, a=1),
    "defaultdict": defaultdict(list, {"a": [1]}),
    "Decimal": Decimal("-12.50"),
    "Decimal nan": Decimal("sNaN7"),
    "Fraction": Fraction(-3, 7),
    "UUID": UUID(int=2**127 + 1),
    "range": range(1, 10, 3),
    "slice": slice(None, "z", 2),
    "Path": Path("folder") / "file",
    "PurePosixPath": PurePosixPath("/a/b"),
    "PureWindowsPath": PureWindowsPath("c:/a/b"),
    "date": NOON.date(),
    "time": time(23, 59, fold=1),
    "datetime": NOON,
    "datetime in UTC": NOON.replace(tzinfo=timezone.utc),  # noqa: UP017 - the class is what is shown
    "datetime at an offset": NOON.replace(tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    "datetime in a zone": NOON.replace(tzinfo=zone_named("Europe/Berlin"), fold=1),
    "timedelta": timedelta(days=-1, microseconds=1),
    "Enum": Color.RED,
    "IntEnum": Level.LOW,
    "Flag": Access.READ | Access.WRITE,
    "named tuple": Pair(1, "x"),
    "dataclass": Point(1.0, -0.0),
    "subclass": Text("a"),
    "subclass with an attribute": text_with_attribute(),
    "object": Keyed("x"),
    "class": date,
    "own class": Keyed,
    "function": zone_named,
    "builtin": len,
    "ellipsis": ...,
    "zone": zone_named("Europe/Berlin"),
    "fixed zone": timezone(timedelta(hours=2), "two"),
    "pattern": re.compile("a+", re.IGNORECASE),
    "deque": deque([1, 2], maxlen=5),
    "mapping proxy": MappingProxyType({"b": 2, "a": 1}),
    "parametrized type": dict[str, list[int]],
    "union": int | str | None,
    "address": ip_address("2001:db8::1"),
    "network": ip_network("10.0.0.0/8"),
}

DIGESTS = {
    "None": "25cb009da35faf7bfe25ea6351db6ff3",
    "True": "967144f98f237bab6a47f7a55f270dbe",
    "False": "02ed26fb20cd2ef3571e4c1b9846f452",
    "0": "2e3e471fa747bc10d0a7551b04b31c12",
    "1": "b9de518c16ce15bc5a3ac89a18bbaa5d",
    "-255": "4e181c36d4332992ae92d01bd6c5d2d1",
    "2**20000": "425a1caba7e58824450abb3ca9dfb671",
    "0.0": "d3396b3338be1658365a390ee1dd2435",
    "-0.0": "6680b3463afe025dd55d1d15e889c547",
    "0.1": "c896dc0780faaed97e237aed9a7a118f",
    "nan": "4c9d78a645952c22c3caec5222c4bee1",
    "-inf": "e3104de75bdb8454fb398316d462dc2c",
    "1-2j": "b8085a5767146bdbdbd1d77ef1755fff",
    "empty": "2220371788dce6a0640409d600ab1a5b",
    "text": "1af4992a703fc59e35fde98e2642bff1",
    "surrogate": "1873d95265286af2c59ef47e824cda0c",
    "bytes": "fda567e8b0feaaa7675fff4cd20f8ccb",
    "bytearray": "2e97735ca235f6e171927ea6a2e3276d",
    "tuple": "3e192a5d9aa2bfbef6cb56efa7078360",
    "list": "a6f67e6760a22c95a0ff7142e3c6509f",
    "set": "6c8cb2f456fc4d247f16066ba7a4ccca",
    "frozenset": "baa21be3f9bdadbd3effda00d0159232",
    "dict": "ae3abf9638529edbea5c5c7aaa1c7222",
    "OrderedDict": "51965589a756326df57881d029c6145b",
    "defaultdict": "3cf8a662b8cdb705835854405cbaae21",
    "Decimal": "f6fa3f66b7d50249f41cb42213213892",
    "Decimal nan": "54ec1e3c112385b078fc7f6a2daeec38",
    "Fraction": "f52362564fce20fea8da03f4319d941a",
    "UUID": "8212db42e5bc73c59321c038f6a7684c",
    "range": "eda874e5b5f6fcff6c6745d43a8c634d",
    "slice": "9223745229b0a16f7c6554645bbbebd2",
    "Path": "ba89b83a824fb565ca746f53e6180536",
    "PurePosixPath": "14ecc5c5265058180284466855e67564",
    "PureWindowsPath": "e6d8486bf298b3c287255c8d2ebdc4f9",
    "date": "99d75fe6b3cd0cdf4c101fc38f6a404e",
    "time": "54bd8dcf8ec3b81d79ad3e604fd18c40",
    "datetime": "3f4685b0c2ec27fcc552f543618fb026",
    "datetime in UTC": "f5eccbc3e60e4417a3a3953da3cbbad5",
    "datetime at an offset": "6bb397625c0f38ef8b31ba88f7338f55",
    "datetime in a zone": "1466999f56df049db784efdf221bf7f4",
    "timedelta": "02ec754781d547c9779390e91ed69bfb",
    "Enum": "54ec0e7ad378d226c441de72f3e90e49",
    "IntEnum": "75c8ce4642a07d93631af399866fc019",
    "Flag": "6a0ca51c62612fe42ac8f0a87c9528af",
    "named tuple": "506ec12bbfa4a5d09c06c89b3a426eac",
    "dataclass": "42dd2b3aed56ed937995a87f17ce2d98",
    "subclass": "d932af429d6990a4fa47a4af1c724f96",
    "subclass with an attribute": "9659bd51cbf2f4d65420e64462cef5dc",
    "object": "93a390aeab3827fc639b049582823f77",
    "class": "f250c6965bb352fc3b373cdec1807628",
    "own class": "acc2d56f112a853524ff0667a0e160ac",
    "function": "94c4eed282b2ece8ed2370893743c48e",
    "builtin": "57f0904c5331952d75b7a978abbde2a3",
    "ellipsis": "6334d114a4f1e1289fbd715f5be2d9b8",
    "zone": "4775f51c22d4dd2c9cee99af0a7f6201",
    "fixed zone": "c83a59cb1cf1e229d153d6e1f1504519",
    "pattern": "3489e7735d168be0cf636e72f31187f7",
    "deque": "4a1bb025b652dd9af4abcdeae5a02436",
    "mapping proxy": "3956b88009520baa4fc05716cb8358ea",
    "parametrized type": "1f31d8f1731a427e7f7b6674e5a40d52",
    "union": "25ce0f8c73689407aea12d810fcba4ff",
    "address": "e851c5aad91b93e364cc2a17a31aed47",
    "network": "ba0025539071fb7ac9ab18248f195fc0",
}


def current_digests() -> dict[str, str]:
    """Return what the digests are in this process."""
    return {name: digest(encode(value)) for name, value in VALUES.items()}


def main() -> None:
    """Print the digests, a line each."""
    for name, found in current_digests().items():
        print(f"    {name!r}: {found!r},")  # noqa: T201 - this is its purpose
