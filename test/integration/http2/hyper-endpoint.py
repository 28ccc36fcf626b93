# A service that speaks HTTP/2 by hyper-h2: plain, or over TLS where a certificate is given. Prints its port. What it does is in the path.
import hashlib
import json
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events
import h2.settings

context = None
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    context.set_alpn_protocols(["h2"])

lock = threading.Lock()
# Connections so far, and how often each path was requested.
counted = {"connections": 0}


def count(name):
    with lock:
        counted[name] = counted.get(name, 0) + 1
        return counted[name]


class Connection:
    def __init__(self, sock):
        self.sock = sock
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        # Windows that are much smaller than a body, and no common multiple of frames.
        self.h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={
                h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 10_007,
                h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 40,
                h2.settings.SettingCodes.HEADER_TABLE_SIZE: 256,
            },
        )
        self.requests = {}
        self.unsent = {}

    def run(self):
        self.h2.initiate_connection()
        self.flush()
        while True:
            data = self.sock.recv(65_536)
            if not data:
                return
            for event in self.h2.receive_data(data):
                self.on(event)
            self.flush()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def on(self, event):
        stream = getattr(event, "stream_id", 0)
        if isinstance(event, h2.events.RequestReceived):
            self.requests[stream] = {"headers": event.headers, "body": hashlib.sha256(), "length": 0, "trailers": []}
            self.on_head(stream)
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
            request = self.requests.get(stream)
            if request is not None:
                request["body"].update(event.data)
                request["length"] += len(event.data)
        elif isinstance(event, h2.events.TrailersReceived):
            self.requests[stream]["trailers"] = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            request = self.requests.pop(stream, None)
            if request is not None:
                self.respond(stream, request)
        elif isinstance(event, h2.events.WindowUpdated):
            for waiting in list(self.unsent) if stream == 0 else [stream]:
                self.send(waiting)
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            for waiting in list(self.unsent):
                self.send(waiting)
        elif isinstance(event, h2.events.StreamReset):
            self.requests.pop(stream, None)
            self.unsent.pop(stream, None)

    def on_head(self, stream):
        path = dict(self.requests[stream]["headers"])[":path"]
        if path.endswith("/refused-once") and count(path) == 1:
            self.requests.pop(stream)
            self.h2.reset_stream(stream, 7)
        elif path.endswith("/goaway-once") and count(path) == 1:
            # The stream of this request is not among those that are served.
            self.requests.pop(stream)
            self.h2.close_connection(0, last_stream_id=stream - 2 if stream > 1 else 0)
            self.flush()
            self.sock.shutdown(socket.SHUT_WR)

    def respond(self, stream, request):
        headers = dict(request["headers"])
        path = headers[":path"].rsplit("/", 1)[-1]
        if path == "broken":
            self.h2.send_headers(stream, [(":status", "200"), ("content-length", "10")])
            self.h2.send_data(stream, b"half")
            self.h2.reset_stream(stream, 2)
        elif path == "large":
            self.reply(stream, bytes(range(256)) * 12_000)
        elif path == "hinted":
            self.h2.send_headers(stream, [(":status", "103"), ("link", "</style.css>; rel=preload")])
            self.reply(stream, b"hinted", trailers=[("x-end", "of hyper")])
        elif path in ("204", "304"):
            self.h2.send_headers(stream, [(":status", path), ("x-empty", "yes")], end_stream=True)
        elif path == "counted":
            with lock:
                self.reply(stream, json.dumps(counted).encode())
        else:
            seen = {
                "headers": request["headers"],
                "trailers": request["trailers"],
                "length": request["length"],
                "sha256": request["body"].hexdigest(),
            }
            self.reply(stream, json.dumps(seen).encode(), head=headers[":method"] == "HEAD")

    def reply(self, stream, body, trailers=(), head=False):
        fields = [(":status", "200"), ("content-length", str(len(body))), ("server", "hyper")]
        self.h2.send_headers(stream, fields, end_stream=head)
        if not head:
            self.unsent[stream] = [memoryview(body), list(trailers)]
            self.send(stream)

    def send(self, stream):
        if stream not in self.unsent:
            return
        body, trailers = self.unsent[stream]
        while len(body) > 0:
            size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
            if size <= 0:
                self.unsent[stream][0] = body
                return
            self.h2.send_data(stream, bytes(body[:size]))
            body = body[size:]
        del self.unsent[stream]
        if trailers:
            self.h2.send_headers(stream, trailers, end_stream=True)
        else:
            self.h2.end_stream(stream)


def serve(sock):
    try:
        if context is not None:
            sock = context.wrap_socket(sock, server_side=True)
        Connection(sock).run()
    except OSError:
        pass
    finally:
        sock.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    accepted, _ = listener.accept()
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count("connections")
    threading.Thread(target=serve, args=(accepted,), daemon=True).start()
