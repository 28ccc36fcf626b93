# Makes unary calls, eight at a time, until its input ends; prints how many succeeded and the errors of the others. A line is printed
# once calls succeed. Arguments: see channel.py.
import json
import sys
import threading

import grpc
from channel import channel

channel = channel()
call = channel.unary_unary("/test.Echo/Unary")
stop = threading.Event()
lock = threading.Lock()
succeeded = 0
errors = []


def work():
    global succeeded
    while not stop.is_set():
        try:
            call(b"x", timeout=20)
        except grpc.RpcError as error:
            with lock:
                errors.append(f"{error.code().name}: {error.details()}")
            continue
        with lock:
            succeeded += 1
            if succeeded == 50:
                print("begun", flush=True)


threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
print(json.dumps({"succeeded": succeeded, "errors": errors}), flush=True)
