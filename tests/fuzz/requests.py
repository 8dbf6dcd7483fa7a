"""Requests of every kind that somebody might send, well formed or not, as bytes."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import strategies as st

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
SECRET = "seekr3t-that-is-in-no-log"

ROOTS = (
    "/v2/openstack",
    "/v2.1",
    "/v2.1/openstack",
    "/v2.1/another",
    "/v2",
    "",
    "/control",
    "/%76",
)
RESOURCES = ("servers", "images", "flavors", "faults", "clock", "requests", "reset")
BELOW = ("action", "detail", "metadata", "os-instance-actions", "meta var", "..", ".", "", "%00")
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "CONNECT")
ACTIONS = ("rebuild", "lock", "unlock", "os-stop", "os-start", "os-resetState", "reboot", "")
MEMBERS = (
    *("imageRef", "name", "adminPass", "metadata", "accessIPv4", "accessIPv6"),
    *("OS-DCF:diskConfig", "preserve_ephemeral", "personality", "flavorRef", "state", "networks"),
)
QUERIES = ("limit", "marker", "name", "status", "all_tenants", "changes-since", "server", "route")

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from((IMAGE, IMAGE.upper(), "AUTO", "1.2.3.4", "fe80::1", SECRET, "x" * 300))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
rebuilds = st.fixed_dictionaries(
    {"imageRef": st.just(IMAGE), "adminPass": st.just(SECRET)},
    optional={name: values for name in MEMBERS if name not in ("imageRef", "adminPass")},
)
right = st.just({"rebuild": {"imageRef": IMAGE, "adminPass": SECRET}})
documents = (
    right
    | st.fixed_dictionaries({"rebuild": rebuilds})
    | st.dictionaries(st.sampled_from(ACTIONS), values, min_size=1, max_size=2)
    | st.fixed_dictionaries({"server": rebuilds})
    | st.fixed_dictionaries({"metadata": values})
    | st.fixed_dictionaries({"meta": values})
    | st.fixed_dictionaries({"advance": scalars})
    | values
)
hostile = st.sampled_from(
    (
        b"[" * 50_000,
        b'{"rebuild":' * 20_000,
        b'{"rebuild": {"imageRef": "\\ud800", "adminPass": "\xff"}}',
        b"\xef\xbb\xbf{}",
        b"x" * 120_000,
        f'{{"rebuild": {{"adminPass": "{SECRET}", "adminPass": NaN}}}}'.encode(),
        b'{"rebuild": 1' + b"0" * 5_000 + b"}",
        b"",
    )
)
written = st.builds(lambda document: json.dumps(document).encode(), right | documents)
bodies = written | written | st.binary() | hostile

raw_values = st.binary(max_size=60).map(lambda value: value.replace(b"\n", b"").replace(b"\r", b""))
headers = st.just([]) | st.lists(
    st.tuples(
        st.sampled_from(
            (
                *("Content-Type", "Idempotency-Key", "X-OpenStack-Request-ID", "Origin", "Cookie"),
                *("OpenStack-API-Version", "X-OpenStack-Nova-API-Version", "X-Auth-Token"),
                *("Accept", "Expect", "Connection", "Upgrade", "Host", "X-Forwarded-Proto"),
            )
        ),
        st.sampled_from(
            (
                *(b"application/json", b"text/plain", b"application/xml", b"\xff\xfe", b""),
                *(b"compute 2.1", b"compute 2.999", b"compute latest", b"100-continue", b'"key"'),
                *(b"req-1", b"websocket", b"close", b"http://evil.example", b"127.0.0.1"),
                SECRET.encode(),
            )
        )
        | raw_values,
    ),
    max_size=4,
)


@st.composite
def targets(draw: st.DrawFn) -> str:
    segment = st.sampled_from((*BELOW, SERVER)) | st.text(max_size=20) | st.just("a" * 4_000)
    segments = [draw(st.sampled_from(RESOURCES)), SERVER, *draw(st.lists(segment, max_size=3))]
    path = "/".join(segments[: draw(st.integers(0, len(segments)))])
    quoted = quote(path, safe="/%", errors="surrogatepass")
    query = draw(st.dictionaries(st.sampled_from(QUERIES), st.text(max_size=20), max_size=3))
    asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return f"{draw(st.sampled_from(ROOTS))}/{quoted}" + (f"?{asked}" if asked else "")


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    """A body with the headers that say how long it is, truly or not."""
    body = draw(bodies)
    how = draw(
        st.sampled_from(
            ("right", "right", "right", "chunked", "short", "long", "both", "garbage", "none")
        )
    )
    if how in ("chunked", "both"):
        half = len(body) // 2
        chunks = b"".join(
            b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])
        )
        more = f"Content-Length: {len(body)}\r\n".encode() if how == "both" else b""
        return b"Transfer-Encoding: chunked\r\n" + more + b"\r\n" + chunks + b"0\r\n\r\n"
    if how == "garbage":
        return b"Transfer-Encoding: chunked\r\n\r\n" + draw(st.binary(max_size=40)) + body
    if how == "none":
        return b"\r\n" + body
    announced = {"right": len(body), "short": len(body) // 2, "long": len(body) + 10}[how]
    return f"Content-Length: {announced}\r\n\r\n".encode() + body


REBUILD = tuple(("POST", f"{root}/servers/{SERVER}/action") for root in ROOTS[:3])
THERE = (
    *(("GET", f"/v2.1/servers{rest}") for rest in ("", "/detail", f"/{SERVER}")),
    ("GET", f"/v2/openstack/servers/{SERVER}/os-instance-actions"),
    ("PUT", f"/v2.1/servers/{SERVER}"),
    ("POST", f"/v2.1/servers/{SERVER}/metadata"),
    ("POST", "/v2.1/servers"),
    ("POST", "/control/faults"),
)
anything = st.tuples(
    st.sampled_from(METHODS) | st.text("ABCxyz-!", min_size=1, max_size=8), targets()
)
asked = st.sampled_from(REBUILD) | st.sampled_from(THERE) | anything


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """One request, mostly to where something happens."""
    method, target = draw(asked)
    lines = [f"{method} {target} HTTP/1.1".encode()]
    if draw(st.integers(0, 9)):
        lines.append(b"Host: 127.0.0.1")
    lines += [name.encode() + b": " + value for name, value in draw(headers)]
    return b"\r\n".join(lines) + b"\r\n" + draw(framed())


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """What is sent over one connection: requests one behind the other, perhaps cut off."""
    sent = b"".join(draw(st.lists(requests(), min_size=1, max_size=3))) + draw(
        st.just(b"") | st.binary(max_size=20)
    )
    if draw(st.booleans()):
        return sent
    return sent[: draw(st.integers(0, len(sent)))]
