"""Calls the Python client: a line of JSON for each call, and one for what came of it."""
import json
import sys

from sidecast import Client, SidecastError

for line in sys.stdin:
    call = json.loads(line)
    try:
        client = Client(**call["client"])
        if call["do"] == "token":
            told = {"token": client.token(call["user"], call["rooms"], 60)}
        else:
            told = {"answer": client.broadcast(call["event"], call["data"], **call["to"])}
    except SidecastError as error:
        told = {"status": error.status, "code": error.code, "detail": error.detail}
    print(json.dumps(told), flush=True)
