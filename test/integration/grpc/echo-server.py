# A gRPC server of grpcio, on a port that it prints: in cleartext, or by TLS with the key and the certificate of the file that is named.
# Messages are bytes.
import sys
from concurrent import futures
from itertools import count

import grpc

calls = count()


def raw(value):
    return value


def unary(request, context):
    number = next(calls)
    context.set_trailing_metadata((("sum-bin", b"\0\xff"),))
    if request == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no: 100 %")
    return str(number).encode() if request == b"how many" else request


def chat(requests, _context):
    for request in requests:
        yield b"<" + request + b">"


class Echo(grpc.GenericRpcHandler):
    def service(self, details):
        return {
            "Unary": grpc.unary_unary_rpc_method_handler(unary, raw, raw),
            "Collect": grpc.stream_unary_rpc_method_handler(lambda all, _context: b"+".join(all), raw, raw),
            "Expand": grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter([b"a", b"b", b"c"]), raw, raw),
            "Chat": grpc.stream_stream_rpc_method_handler(chat, raw, raw),
        }.get(details.method.split("/")[-1])


server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((Echo(),))
if len(sys.argv) > 1:
    with open(sys.argv[1], "rb") as file:
        pem = file.read()
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(pem, pem)]))
else:
    port = server.add_insecure_port("127.0.0.1:0")
print(port, flush=True)
server.start()
server.wait_for_termination()
