# SPDX-License-Identifier: MIT
"""A wire that can be cut: carries connections to a port on loopback. Standard library
only."""

import ctypes
import socket
import struct
import threading
import time

# A socket filter of one instruction that keeps 0 bytes of each packet: the kernel drops
# them unseen and acknowledges nothing, so that both ends retransmit into the void.
PROGRAM = bytearray(struct.pack("HBBI", 0x06, 0, 0, 0))
SO_ATTACH_FILTER = 26


class Relay:
    """What comes to `port` goes to `far`; 0: nowhere, as with a server that hangs. After a cut every packet is dropped, those of new
    connections too: nobody is told, and nothing is acknowledged."""

    def __init__(self, far, delay=0):
        """`delay`: seconds, each way."""
        self.far, self.delay = far, delay
        self.doomed = set()
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
            if self.severed.is_set() or not self.far:
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
                time.sleep(self.delay)
                b.sendall(data)
            if a in self.doomed:
                a.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                a.close()
            if not self.severed.is_set():
                b.shutdown(socket.SHUT_WR)
        except OSError:
            if not self.severed.is_set():
                b.close()

    def cut(self):
        self.severed.set()
        room = (ctypes.c_char * len(PROGRAM)).from_buffer(PROGRAM)
        drop = struct.pack("HP", 1, ctypes.addressof(room))
        for s in [self.listener, *self.open]:
            if s.fileno() >= 0:
                s.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, drop)

    def reset(self):
        """All that is open, as seen by those who came."""
        for s in self.open[::2]:
            self.doomed.add(s)
            s.shutdown(socket.SHUT_RD)  # wakes its thread

    def end(self):
        self.over.set()
        self.listener.close()
        for s in self.open:
            s.close()
