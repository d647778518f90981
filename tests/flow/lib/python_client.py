"""What an application does with Debian's python3-socketio, over one kind of transport.

python_client.py URL polling|websocket|both: exits 0 when all went as it must.
"""
import os
import sys
import threading
import time
import traceback

import engineio.payload
import requests
import socketio

BURST = 500
WAIT = 20
# This client drops the connection when more packets than these, 16 unless told, wait for a poll.
engineio.payload.Payload.max_decode_packets = 10_000
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "both": None}


class Application:
    def __init__(self, url, transport):
        self.url, self.transport = url, transport
        self.auth, self.back, self.said, self.custom_auth = [], [], [], []
        self.complaints, self.connects, self.drops, self.may_drop = [], 0, 0, False
        self.sio = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.1)
        # Each message would get a thread of its own, and their order would be the scheduler's.
        trigger = self.sio.eio._trigger_event
        self.sio.eio._trigger_event = lambda event, *args, run_async=False: trigger(event, *args)
        self.sio.on("connect", self.on_connect)
        self.sio.on("connect_error", lambda *data: self.complaints.append(("connect_error", data)))
        self.sio.on("disconnect", self.on_disconnect)
        self.sio.on("auth", self.auth.append)
        self.sio.on("auth", self.custom_auth.append, namespace="/custom")
        self.sio.on("message-back", lambda *args: self.back.append(list(args)))
        self.sio.on("said", self.said.append)

    def on_connect(self):
        self.connects += 1

    def on_disconnect(self):
        self.drops += 1
        if not self.may_drop:
            self.complaints.append("disconnect")

    def until(self, condition, what):
        end = time.monotonic() + WAIT
        while not condition():
            assert not self.complaints, (what, self.complaints)
            assert time.monotonic() < end, f"{what}: not within {WAIT} s"
            time.sleep(0.005)
        assert not self.complaints, (what, self.complaints)

    def same(self, got, wanted, what):
        assert got == wanted, f"{what}: {got!r} instead of {wanted!r}"

    def connects_with_auth(self):
        payload = {"token": "geheim", "name": "Zoë 😀"}
        self.sio.connect(self.url, auth=payload, transports=TRANSPORTS[self.transport],
                         namespaces=["/", "/custom"], wait_timeout=WAIT)
        self.until(lambda: self.auth and self.custom_auth, "auth")
        self.same(self.auth + self.custom_auth, [payload, payload], "auth")
        wanted = "polling" if self.transport == "polling" else "websocket"
        self.same(self.sio.transport(), wanted, "transport")

    def bursts(self):
        self.same(self.sio.call("join", "talk", timeout=WAIT)["ok"], True, "join")
        for i in range(BURST):
            self.sio.emit("message", i)
        self.until(lambda: len(self.back) >= BURST, "burst")
        self.same(self.back, [[i] for i in range(BURST)], "burst")
        self.until(lambda: len(self.said) > 3, "words of the room")
        said = list(self.said)
        self.same(said, list(range(said[0], said[0] + len(said))), "words of the room")

    def echoes(self):
        for args in (["grüße 😀", {"a": [1, None, True], "b": "日本"}, 1.5],
                     [bytes([0, 1, 0x1E, 255]), {"deep": [b"\7" * 3000]}, "text"]):
            self.back.clear()
            self.sio.emit("message", tuple(args))
            self.until(lambda: self.back, "echo")
            self.same(self.back, [args], "echo")
            self.same(list(self.sio.call("message-with-ack", tuple(args), timeout=WAIT)), args, "ack")

    def returns(self):
        before, self.may_drop = self.sio.get_sid(), True
        connects = self.connects
        if self.transport == "polling":
            # A close packet is final for this client: its session has to be lost instead.
            query = f"EIO=4&transport=polling&sid={self.sio.eio.sid}"
            requests.post(f"{self.url}/socket.io/?{query}", data="1", timeout=WAIT)
        else:
            self.sio.emit("drop")
        self.until(lambda: self.connects > connects and self.sio.namespaces.keys() >= {"/", "/custom"},
                   "the return")
        assert self.sio.get_sid() != before
        self.echoes()

    def run(self):
        self.connects_with_auth()
        self.bursts()
        self.echoes()
        self.returns()
        assert not self.complaints, self.complaints
        self.sio.disconnect()


def main(url, transport):
    threading.excepthook = lambda args: print(f"in a thread: {args.exc_value!r}", file=sys.stderr)
    try:
        Application(url, transport).run()
    except Exception:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the client's threads would go on for ever


main(*sys.argv[1:])
