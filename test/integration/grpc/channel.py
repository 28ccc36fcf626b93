# A channel to a proxy: `PORT`, or `PORT CERTIFICATE` for TLS that trusts this certificate alone. The client repeats nothing by itself.
import sys

import grpc

options = [("grpc.enable_retries", 0)]


def channel():
    target = "localhost:" + sys.argv[1]
    if len(sys.argv) == 2:
        return grpc.insecure_channel(target, options)
    with open(sys.argv[2], "rb") as file:
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(file.read()), options)
