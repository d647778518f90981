"""Publishing to Sidecast, for Python 3.8 and later; the standard library is enough.

    client = Client("http://127.0.0.1:7411", "sk_...")
    client.broadcast("task.moved", {"task": 12}, room="project:7")["recipients"]

Whatever a call has to send twice carries one Idempotency-Key, so it is published once.
A client may be used from several threads, and in processes that are forked; each keeps a
connection of its own.
"""
import base64
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import threading
import time
import uuid
from urllib.parse import urlsplit

AGENT = "sidecast-python/0.1.0"
PAUSE_MAX = 5.0
IDLE_MAX = 4.0
PASSING = (408, 409, 429, 500, 502, 503, 504)  # 409: the first try is still on its way


class SidecastError(Exception):
    """A publish that was refused, or whose answer never came (status 0)."""

    def __init__(self, status, code, detail, problem=None):
        super().__init__(f"{code}: {detail}")
        self.status, self.code, self.detail = status, code, detail
        self.problem = problem or {}  # the whole answer, with `errors` and their pointers


class Client:
    """`url` and `key` default to SIDECAST_URL and SIDECAST_API_KEY, `secret` (only for
    tokens) to SIDECAST_AUTH_JWT_HMAC_SECRET; blanks and line ends around them do not count.
    `timeout` is how many seconds each of the `tries` waits for a byte."""

    def __init__(self, url=None, key=None, timeout=2.0, secret=None, fail_silently=False,
                 tries=3):
        where = urlsplit((url or os.environ.get("SIDECAST_URL", "http://127.0.0.1:7411")).strip())
        if where.scheme not in ("http", "https") or not where.hostname:
            raise ValueError("the url of a Sidecast publisher begins with http:// or https://")
        self._where, self._timeout, self._silent = where, timeout, fail_silently
        self._tries = max(1, tries)
        self._key = (key or os.environ.get("SIDECAST_API_KEY", "")).strip()
        if not re.fullmatch(r"[\x21-\x7e]*", self._key):
            raise ValueError("the key of a Sidecast publisher is one word of ASCII")
        self._secret = secret.strip() if secret else os.environ.get("SIDECAST_AUTH_JWT_HMAC_SECRET", "")
        self._local = threading.local()

    def broadcast(self, event, data=..., **more):
        """Gives the answer as a dict: id, recipients, position and more.

        `more` is one of room, rooms, user, users, sockets and all, unless the catalog of
        the server knows where the event goes; and args, except_, ttl, volatile, id, ...
        Without `data` the event has none; None is null.
        """
        body = {("except" if name == "except_" else name): value for name, value in more.items()}
        if data is not ... and "args" not in body:
            body["data"] = data
        body["event"] = event
        body.setdefault("id", str(uuid.uuid4()))
        sent = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        try:
            return self._send(sent, body["id"])
        except SidecastError:
            if self._silent:
                return None
            raise

    def token(self, user, rooms=(), ttl=3600, **claims):
        """Gives a token with which a client of this user connects, for `ttl` seconds."""
        if not self._secret:
            raise ValueError("a token needs the secret that the server checks tokens with")
        claims.update(sub=str(user), rooms=list(rooms), exp=int(time.time()) + int(ttl))
        signed = b".".join(_part(json.dumps(part, separators=(",", ":")).encode())
                           for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        mac = hmac.new(self._secret.encode(), signed, hashlib.sha256).digest()
        return (signed + b"." + _part(mac)).decode()

    def close(self):
        """Closes the connection of this thread; another call opens a new one."""
        connection = self._local.__dict__.pop("connection", None)
        if connection:
            connection.close()

    def _send(self, body, key):
        for again in reversed(range(self._tries)):
            try:
                status, pause, answer = self._post(body, key)
            except (OSError, http.client.HTTPException) as error:
                self.close()  # what it brings next would be an answer to this
                status, pause = 0, None
                answer = {"code": "E_UNREACHABLE", "detail": str(error) or type(error).__name__}
            if 200 <= status < 300:
                return answer
            if not again or (status and status not in PASSING):
                raise SidecastError(status, answer.get("code", f"HTTP {status}"),
                                    answer.get("detail", ""), answer)
            time.sleep(_pause(pause, self._tries - again))

    def _post(self, body, key):
        headers = {"Content-Type": "application/json", "Idempotency-Key": key,
                   "User-Agent": AGENT}
        if self._key:
            headers["Authorization"] = "Bearer " + self._key
        connection = self._connection()
        connection.request("POST", self._where.path.rstrip("/") + "/broadcast", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        try:
            parsed = json.loads(text)
        except ValueError:
            parsed = None
        status, is_object = answer.status, isinstance(parsed, dict)
        if status < 300 and not (is_object and parsed.get("id")):  # somebody else's answer
            status, parsed = 0, {"code": "E_UNREACHABLE",
                                 "detail": "an answer that is not Sidecast's: " + _start(text)}
        elif not is_object:  # a proxy's page
            parsed = {"detail": _start(text)}
        return status, answer.getheader("Retry-After"), parsed

    def _connection(self):
        now = time.monotonic()
        if now - getattr(self._local, "used", now) > IDLE_MAX:
            self.close()  # the server, or a proxy, may be about to do so
        if getattr(self._local, "process", None) != os.getpid():
            self.close()  # after a fork it is the other process's, too
        self._local.used, self._local.process = now, os.getpid()
        connection = getattr(self._local, "connection", None)
        if connection is None:
            kind = (http.client.HTTPSConnection if self._where.scheme == "https"
                    else http.client.HTTPConnection)
            connection = kind(self._where.hostname, self._where.port, timeout=self._timeout)
            self._local.connection = connection
        return connection


def _start(text):
    return text[:200].decode("utf-8", "replace")


def _part(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _pause(retry_after, tries):
    """What the server asks for, or a little more each time; never all callers at once."""
    asked = float(retry_after) if retry_after and retry_after.isdigit() else 0.1 * 2 ** tries
    return min(asked, PAUSE_MAX) * random.uniform(1.0, 1.25)
