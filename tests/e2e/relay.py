# SPDX-License-Identifier: MIT
"""A wire that can be cut: carries connections to a port on loopback. Standard library
only."""

import socket
import threading


class Relay:
    """What comes to `port` goes to `far`. After a cut nothing passes either way and nobody
    is told, as behind a box that has lost its state; new connections hang likewise."""

    def __init__(self, far):
        self.far = far
        self.severed, self.over = threading.Event(), threading.Event()
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while not self.over.is_set():
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(near)
            if self.severed.is_set():
                continue
            far = socket.socket()
            self.open.append(far)
            try:
                far.connect(("127.0.0.1", self.far))
            except OSError:
                near.close()
                continue
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def carry(self, a, b):
        try:
            while data := a.recv(65536):
                if self.severed.is_set():
                    return
                b.sendall(data)
            if not self.severed.is_set():
                b.shutdown(socket.SHUT_WR)
        except OSError:
            if not self.severed.is_set():
                b.close()

    def cut(self):
        self.severed.set()

    def end(self):
        self.over.set()
        self.listener.close()
        for s in self.open:
            s.close()
