# Calls the service by grpcio; prints one line for each kind of call. Arguments: see channel.py.
import queue

import grpc
from channel import channel

channel = channel()
call_unary = channel.unary_unary("/test.Echo/Unary")

response, call = call_unary.with_call(b"hello", metadata=(("key-bin", b"\1\0"),))
print("unary", response.decode(), dict(call.trailing_metadata())["sum-bin"].hex())

print("large", len(call_unary(b"x" * 3_000_000)))

try:
    call_unary(b"fail")
except grpc.RpcError as error:
    print("error", error.code().name, error.details())

print("collect", channel.stream_unary("/test.Echo/Collect")(iter([b"a", b"b"])).decode())
print("expand", b",".join(channel.unary_stream("/test.Echo/Expand")(b"x")).decode())

messages = queue.Queue()
responses = channel.stream_stream("/test.Echo/Chat")(iter(messages.get, None))
received = []
for number in range(3):
    messages.put(str(number).encode())
    received.append(next(responses).decode())
messages.put(None)
print("chat", "".join(received), len(list(responses)))

try:
    channel.unary_unary("/other.Service/Call")(b"x")
except grpc.RpcError as error:
    print("no route", error.code().name)

print("many", sum(future.result() == b"q" for future in [call_unary.future(b"q") for _ in range(200)]))
