"""Passes connections on: `relay.py LISTEN TARGET`, each an `ip:port` or the path of a Unix socket.

A Unix socket is seen from every network namespace, so two of these lead from one into another.
"""

import socket
import sys
import threading


def listen(place):
    if "/" not in place:
        host, port = place.split(":")
        return socket.create_server((host, int(port)))
    server = socket.socket(socket.AF_UNIX)
    server.bind(place)
    server.listen(128)
    return server


def connect(place):
    if "/" not in place:
        host, port = place.split(":")
        return socket.create_connection((host, int(port)))
    client = socket.socket(socket.AF_UNIX)
    client.connect(place)
    return client


def pump(source, sink):
    """Until one side ends; then the other is told."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # The other direction ends with it.
        source.close()


def pass_on(near, target):
    try:
        far = connect(target)
    except OSError as error:
        print(f"relay.py: {target}: {error}", file=sys.stderr, flush=True)
        near.close()
        return
    with near, far:
        back = threading.Thread(target=pump, args=(far, near), daemon=True)
        back.start()
        pump(near, far)
        back.join()


def main(place, target):
    server = listen(place)
    while True:
        threading.Thread(target=pass_on, args=(server.accept()[0], target), daemon=True).start()


main(*sys.argv[1:])
