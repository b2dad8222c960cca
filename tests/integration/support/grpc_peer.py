"""A gRPC server, and a client that calls it, by Debian's python3-grpcio; bytes are the messages.
Run by /usr/bin/python3 in processes of their own:
    grpc_peer.py server [CERT KEY]       prints its port
    grpc_peer.py client ADDRESS CASE [CA NAME]   prints what came as JSON"""

import json
import pathlib
import sys
import threading
import time
from concurrent import futures

import grpc

SERVICE = "test.Echo"


def unary(request, context):
    for key, value in context.invocation_metadata():
        if key == "x-fail":
            context.set_trailing_metadata((("x-why", "asked"),))
            context.abort(grpc.StatusCode[value], "as you asked")
        if key == "x-sleep":
            time.sleep(float(value))
    context.set_trailing_metadata((("x-trailer", "yes"),))
    return b"echo " + request


def server_stream(request, context):
    for i in range(int(request)):
        yield b"%d" % i


def client_stream(requests, context):
    return b"+".join(requests)


def bidi(requests, context):
    for request in requests:
        yield b"echo " + request


def forever(request, _):
    """Answers until it is cancelled, of which a file tells. (A handler that is cancelled between
    two answers is dropped where it stands: nothing behind a `yield` is sure to run.)"""
    try:
        while True:
            yield b"more"
            time.sleep(0.02)
    finally:
        pathlib.Path(request.decode()).touch()


def health(request, _):
    """grpc.health.v1: NOT_SERVING for services whose name begins with "down"."""
    return b"\x08\x02" if request[2:6] == b"down" else b"\x08\x01"


def serve(cert=None, key=None):
    handlers = {"Unary": grpc.unary_unary_rpc_method_handler(unary),
                "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
                "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
                "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
                "Forever": grpc.unary_stream_rpc_method_handler(forever)}
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    checks = {"Check": grpc.unary_unary_rpc_method_handler(health)}
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler(SERVICE, handlers),
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", checks)))
    if cert:
        with open(cert, "rb") as cert_file, open(key, "rb") as key_file:
            credentials = grpc.ssl_server_credentials([(key_file.read(), cert_file.read())])
        port = server.add_secure_port("127.0.0.1:0", credentials)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def failure(error):
    return {"code": error.code().name, "details": error.details(),
            "trailers": dict(error.trailing_metadata() or ())}


def run(channel, case, argument):
    def method(kind, name):
        return getattr(channel, kind)(f"/{SERVICE}/{name}")
    if case == "unary":
        answer, call = method("unary_unary", "Unary").with_call(b"hello", timeout=10)
        return {"answer": answer.decode(), "trailers": dict(call.trailing_metadata())}
    if case == "large":
        answer = method("unary_unary", "Unary")(b"x" * 3_000_000, timeout=20)
        return {"size": len(answer)}
    if case == "server_stream":
        return [m.decode() for m in method("unary_stream", "ServerStream")(b"100", timeout=10)]
    if case == "client_stream":
        return method("stream_unary", "ClientStream")(iter([b"a", b"b", b"c"]), timeout=10).decode()
    if case == "bidi":
        # Each message waits for the answer to the one before.
        answered = threading.Semaphore(1)

        def messages():
            for i in range(50):
                answered.acquire()
                yield b"%d" % i
        got = []
        for message in method("stream_stream", "Bidi")(messages(), timeout=10):
            got.append(message.decode())
            answered.release()
        return got
    if case == "error":
        return method("unary_unary", "Unary")(b"x", timeout=10,
                                              metadata=(("x-fail", argument),)).decode()
    if case == "deadline":
        return method("unary_unary", "Unary")(b"x", timeout=0.5,
                                              metadata=(("x-sleep", "3"),)).decode()
    if case == "cancel":
        call = method("unary_stream", "Forever")(argument.encode(), timeout=30)
        first = next(call).decode()
        call.cancel()
        return first
    if case == "wait":
        return method("unary_unary", "Unary")(b"x", timeout=10).decode()
    raise SystemExit(f"no case {case}")


def main():
    if sys.argv[1] == "server":
        serve(*sys.argv[2:])
        return
    address, case, argument, ca, name = (sys.argv[2:] + [""] * 5)[:5]
    if ca:
        with open(ca, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        channel = grpc.secure_channel(address, credentials,
                                      (("grpc.ssl_target_name_override", name),))
    else:
        channel = grpc.insecure_channel(address)
    try:
        result = run(channel, case, argument)
    except grpc.RpcError as error:
        result = failure(error)
    print(json.dumps(result))


main()
