# Requests of hyper-h2 to a port of a proxy: `hyper-client.py PORT [tls] < requests`, a list in JSON of requests that are sent at once
# on one connection: { method, path, fields, body (its length), trailers }. Prints what came back, in the order of the requests.
import hashlib
import json
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events
import h2.settings

port = int(sys.argv[1])
secure = "tls" in sys.argv
requests = json.load(sys.stdin)

sock = socket.create_connection(("127.0.0.1", port), timeout=30)
sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
if secure:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    sock = context.wrap_socket(sock, server_hostname="localhost")
    assert sock.selected_alpn_protocol() == "h2"

conn = h2.connection.H2Connection(
    h2.config.H2Configuration(client_side=True, header_encoding="utf-8", normalize_outbound_headers=False)
)
conn.local_settings = h2.settings.Settings(
    client=True,
    initial_values={
        h2.settings.SettingCodes.ENABLE_PUSH: 0,
        h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 4_099,
        h2.settings.SettingCodes.HEADER_TABLE_SIZE: 100,
    },
)
conn.initiate_connection()
conn.ping(b"hyper-h2")

results = {}
unsent = {}
seen = {"settings": False, "acknowledged": False, "pong": False}


def send(stream):
    if stream not in unsent:
        return
    left, trailers = unsent[stream]
    while left > 0:
        size = min(conn.local_flow_control_window(stream), conn.max_outbound_frame_size, left, 5_000)
        if size <= 0:
            unsent[stream][0] = left
            return
        # Padding counts against the window.
        pad = 100 if size > 200 and left > size else None
        conn.send_data(stream, b"u" * (size if pad is None else size - pad - 1), pad_length=pad)
        left -= size if pad is None else size - pad - 1
    del unsent[stream]
    if trailers:
        conn.send_headers(stream, [tuple(each) for each in trailers], end_stream=True)
    else:
        conn.end_stream(stream)


order = []
for request in requests:
    stream = conn.get_next_available_stream_id()
    order.append(stream)
    fields = [
        (":method", request.get("method", "GET")),
        (":scheme", "https" if secure else "http"),
        (":path", request["path"]),
        (":authority", f"localhost:{port}"),
        *[tuple(each) for each in request.get("fields", [])],
    ]
    has_body = "body" in request
    # An outdated field of HEADERS, which servers skip.
    conn.send_headers(stream, fields, end_stream=not has_body, priority_weight=7, priority_depends_on=0)
    results[stream] = {"status": None, "interims": [], "headers": {}, "length": 0, "trailers": {}, "reset": None}
    results[stream]["digest"] = hashlib.sha256()
    if has_body:
        unsent[stream] = [request["body"], request.get("trailers", [])]
conn.prioritize(order[0], weight=200)

open_streams = set(order)
for stream in order:
    send(stream)
sock.sendall(conn.data_to_send())
end = None
while open_streams or not all(seen.values()):
    data = sock.recv(65_536)
    if not data:
        end = "closed" if end is None else end
        break
    for event in conn.receive_data(data):
        stream = getattr(event, "stream_id", None)
        if isinstance(event, h2.events.InformationalResponseReceived):
            results[stream]["interims"].append(dict(event.headers)[":status"])
        elif isinstance(event, h2.events.ResponseReceived):
            results[stream]["headers"] = dict(event.headers)
            results[stream]["status"] = dict(event.headers)[":status"]
        elif isinstance(event, h2.events.DataReceived):
            results[stream]["digest"].update(event.data)
            results[stream]["length"] += len(event.data)
            results[stream].setdefault("text", "")
            if len(results[stream]["text"]) < 4_000:
                results[stream]["text"] += event.data.decode("latin-1")
            conn.acknowledge_received_data(event.flow_controlled_length, stream)
        elif isinstance(event, h2.events.TrailersReceived):
            results[stream]["trailers"] = dict(event.headers)
        elif isinstance(event, h2.events.StreamEnded):
            open_streams.discard(stream)
        elif isinstance(event, h2.events.StreamReset):
            results[stream]["reset"] = int(event.error_code)
            open_streams.discard(stream)
        elif isinstance(event, h2.events.WindowUpdated):
            for waiting in list(unsent) if not stream else [stream]:
                send(waiting)
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            seen["settings"] = True
            for waiting in list(unsent):
                send(waiting)
        elif isinstance(event, h2.events.SettingsAcknowledged):
            seen["acknowledged"] = True
        elif isinstance(event, h2.events.PingAckReceived):
            seen["pong"] = event.ping_data == b"hyper-h2"
        elif isinstance(event, h2.events.ConnectionTerminated):
            end = int(event.error_code)
    sock.sendall(conn.data_to_send())

conn.close_connection()
sock.sendall(conn.data_to_send())
for stream in order:
    results[stream]["sha256"] = results[stream].pop("digest").hexdigest()
print(json.dumps({"end": end, "seen": seen, "responses": [results[stream] for stream in order]}))
