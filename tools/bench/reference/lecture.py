#!/usr/bin/env python3
"""TCP echo as the lecture writes a server: a thread for each client."""

import resource
import socket
import threading


def serve(client):
    with client:
        while data := client.recv(1024):
            client.sendall(data)


limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
with socket.socket() as server:
    server.bind(("127.0.0.1", 0))
    server.listen(4096)
    print("listening tcp 127.0.0.1:%d" % server.getsockname()[1])
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
