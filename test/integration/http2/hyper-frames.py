# Frames of hyperframe to a port of a proxy, one connection for each case: `hyper-frames.py PORT [tls]`. Prints what each got,
# as hyperframe reads it: the code of GOAWAY (`connection CODE`), of RST_STREAM (`stream CODE`), or the status of a response.
import json
import socket
import ssl
import sys

from hpack import Decoder, Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

port = int(sys.argv[1])
secure = "tls" in sys.argv
preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def fields(*more, method="GET", path="/node/small", authority=None):
    return [
        (":method", method),
        (":scheme", "https" if secure else "http"),
        (":path", path),
        (":authority", authority or f"localhost:{port}"),
        *more,
    ]


def head(stream, of, *flags):
    return HeadersFrame(stream, Encoder().encode(of), flags=["END_HEADERS", *flags])


def get(stream, *more, **others):
    return head(stream, fields(*more, **others), "END_STREAM")


def post(stream, *more):
    return head(stream, fields(*more, method="POST"))


def raw(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def continued(stream, of, at, flags=("END_STREAM",)):
    block = Encoder().encode(of)
    cuts = [block[i : i + at] for i in range(0, len(block), at)]
    first = HeadersFrame(stream, cuts[0], flags=list(flags))
    rest = [ContinuationFrame(stream, cut) for cut in cuts[1:]]
    rest[-1].flags.add("END_HEADERS")
    return [first, *rest]


half = HeadersFrame(1, Encoder().encode(fields()), flags=["END_STREAM"])

cases = {
    # What is served.
    "a request": [get(1)],
    "a head in 40 CONTINUATION bytes a frame": continued(1, fields(("x-filler", "f" * 200)), 40),
    "PRIORITY of an idle stream": [PriorityFrame(9, depends_on=0, stream_weight=3, exclusive=False), get(1)],
    "an unknown frame": [raw(0xBB, 0xFF, 0, b"unknown"), get(1)],
    "an unknown setting": [SettingsFrame(0, {0xBEEF: 1}), get(1)],
    "padding of HEADERS and DATA": [
        HeadersFrame(1, Encoder().encode(fields(method="POST")), pad_length=100, flags=["END_HEADERS", "PADDED"]),
        DataFrame(1, b"body", pad_length=50, flags=["END_STREAM", "PADDED"]),
    ],
    "trailers": [post(1), DataFrame(1, b"body"), head(1, [("x-sum", "1")], "END_STREAM")],
    # Connection errors.
    "DATA on stream 0": [raw(0, 0, 0, b"x")],
    "DATA of an idle stream": [DataFrame(1, b"x")],
    "HEADERS of an even stream": [get(2)],
    "HEADERS of an earlier stream": [get(5), get(3)],
    "CONTINUATION of nothing": [ContinuationFrame(1, b"", flags=["END_HEADERS"])],
    "DATA within a block": [half, DataFrame(1, b"x")],
    "PUSH_PROMISE": [PushPromiseFrame(1, promised_stream_id=2, data=b"", flags=["END_HEADERS"])],
    "SETTINGS on a stream": [raw(4, 0, 1, b"")],
    "SETTINGS of 5 bytes": [raw(4, 0, 0, b"\0" * 5)],
    "an acknowledgement with a payload": [raw(4, 1, 0, b"\0" * 6)],
    "ENABLE_PUSH of 2": [SettingsFrame(0, {2: 2})],
    "a frame size of 16,383": [SettingsFrame(0, {5: 16_383})],
    "an initial window of 2^31": [raw(4, 0, 0, b"\0\4\x80\0\0\0")],
    "PING of 7 bytes": [raw(6, 0, 0, b"\0" * 7)],
    "PING on a stream": [raw(6, 0, 1, b"\0" * 8)],
    "a frame of 16,385 bytes": [raw(0xBB, 0, 0, b"\0" * 16_385)],
    "a window over 2^31-1": [WindowUpdateFrame(0, 2**31 - 1)],
    "an increment of 0 for the connection": [raw(8, 0, 0, b"\0" * 4)],
    "RST_STREAM of an idle stream": [RstStreamFrame(1, 8)],
    "a block that does not decode": [HeadersFrame(1, b"\x80", flags=["END_HEADERS", "END_STREAM"])],
    "padding longer than the frame": [post(1), raw(0, 8, 1, b"\x09abc")],
    "HTTP/1.1 behind the preface": [b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"],
    # Stream errors.
    "DATA behind the end": [get(1), DataFrame(1, b"x")],
    "an increment of 0": [post(1), raw(8, 0, 1, b"\0" * 4)],
    "a window of a stream over 2^31-1": [post(1), WindowUpdateFrame(1, 2**31 - 1)],
    "a body longer than content-length": [post(1, ("content-length", "1")), DataFrame(1, b"xx", flags=["END_STREAM"])],
    "trailers without an end": [post(1), head(1, [("x-sum", "1")])],
    # Malformed requests: a response, or RST_STREAM.
    "connection": [get(1, ("connection", "close"))],
    "transfer-encoding": [get(1, ("transfer-encoding", "chunked"))],
    "upper case": [get(1, ("X-Upper", "1"))],
    "a line break in a value": [get(1, ("x", "a\r\nb: c"))],
    "a line break in :path": [get(1, path="/node/ HTTP/1.1\r\nx: y")],
    "a blank in :method": [get(1, method="GET /")],
    "two lengths": [post(1, ("content-length", "1"), ("content-length", "2"))],
    "no :path": [head(1, [each for each in fields() if each[0] != ":path"], "END_STREAM")],
    "te: gzip": [get(1, ("te", "gzip"))],
    "Host beside another :authority": [get(1, ("host", "other.example"))],
    "a head over the limit": continued(1, fields(*[(f"x-{at}", "v" * 4_000) for at in range(12)]), 16_000),
}


def outcome(frames):
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if secure:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        sock = context.wrap_socket(sock, server_hostname="localhost")
    sent = b"".join(each if isinstance(each, bytes) else each.serialize() for each in frames)
    # The acknowledgement of PING shows that the connection has survived what came before it.
    probe = PingFrame(0, b"survived").serialize()
    sock.sendall(preface + SettingsFrame(0).serialize() + sent + probe)
    received = b""
    status = None
    decoder = Decoder()
    pong = False
    waits = any(getattr(each, "stream_id", 0) for each in frames if not isinstance(each, (PriorityFrame, bytes)))
    found = []
    while True:
        while len(received) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(received[:9]))
            if len(received) < 9 + length:
                break
            frame.parse_body(memoryview(received[9 : 9 + length]))
            received = received[9 + length :]
            if isinstance(frame, GoAwayFrame):
                return [f"connection {frame.error_code}"]
            if isinstance(frame, RstStreamFrame):
                found.append(f"stream {frame.error_code}")
                waits = False
            if isinstance(frame, HeadersFrame):
                status = dict(decoder.decode(frame.data))[":status"]
                found.append(status)
            if isinstance(frame, (HeadersFrame, DataFrame)) and "END_STREAM" in frame.flags:
                # RST_STREAM may follow a response.
                waits = False
                if not pong:
                    continue
                pong = False
                sock.sendall(probe)
            if isinstance(frame, PingFrame) and "ACK" in frame.flags:
                pong = True
        if pong and not waits:
            return found
        data = sock.recv(65_536)
        if not data:
            return [*found, "closed"]
        received += data


print(json.dumps({name: outcome(frames) for name, frames in cases.items()}))
