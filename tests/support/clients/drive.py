"""Calls the Python client: a line of JSON for each call, and one for what came of it."""
import json
import os
import sys

from sidecast import Client, SidecastError

for line in sys.stdin:
    call = json.loads(line)
    try:
        client = Client(**call["client"])
        if call["do"] == "fork":  # one call before, one in the child, one after
            client.broadcast(call["event"], **call["to"])
            child = os.fork()
            try:
                told = {"answer": client.broadcast(call["event"], **call["to"])}
            finally:
                if child == 0:
                    os._exit(0)
            os.waitpid(child, 0)
        elif call["do"] == "token":
            told = {"token": client.token(call["user"], call["rooms"], 60)}
        else:
            data = [call["data"]] if "data" in call else []
            told = {"answer": client.broadcast(call["event"], *data, **call["to"])}
    except SidecastError as error:
        told = {"status": error.status, "code": error.code, "detail": error.detail}
    except ValueError as error:
        told = {"wrong": str(error)}
    print(json.dumps(told), flush=True)
