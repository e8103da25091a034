"""A name server on loopback, for names that no other knows: `with Names({"forge.example": "127.0.0.1"}) as names`, and whoever has
`nameserver {names.address}` in its resolv.conf asks here. What was asked is in `asked`."""

import random
import socket
import struct
import threading

A, AAAA, IN = 1, 28, 1


class Names:
    def __init__(self, known):
        self.known, self.asked = known, []

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # The port is the one that resolvers ask; an address of its own keeps tests apart.
        self.address = f"127.{random.randrange(2, 250)}.{random.randrange(2, 250)}.1"
        self.socket.bind((self.address, 53))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        # A question of its own wakes it.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (self.address, 53))
        self.thread.join(10)
        self.socket.close()

    def serve(self):
        while True:
            question, sender = self.socket.recvfrom(4096)
            if not question:
                return
            self.socket.sendto(self.answer(question), sender)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, end = ".".join(labels).lower(), at + 5
        kind, _ = struct.unpack(">HH", question[at + 1:end])
        self.asked.append(name)
        address = self.known.get(name)
        found = [socket.inet_aton(address)] if address and kind == A else []
        # A response, authoritative, recursion available; 3 where there is no such name.
        head = question[:2] + struct.pack(">HHHHH", 0x8580 | (0 if address else 3), 1, len(found), 0, 0)
        return head + question[12:end] + b"".join(b"\xc0\x0c" + struct.pack(">HHIH", A, IN, 60, 4) + one for one in found)
