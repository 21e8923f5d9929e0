"""A process that makes the system calls it is told to, on files of its folder. Run by itself: a line in, a line out.

It keeps the file open that it has begun to write. Data is text of one byte a character.
"""

import json
import os
import sys

DIRECTORY = "."
WRITE = os.O_WRONLY | os.O_CREAT
kept = []  # descriptors; the last one is worked on


def empty(name):
    """open(2) with O_TRUNC: the file is there, and has nothing in it."""
    kept.append(os.open(name, WRITE | os.O_TRUNC, 0o600))


def open_to_read(name):
    kept.append(os.open(name, os.O_RDONLY))


def put(data):
    """write(2) at the place in the file that has been reached."""
    assert os.write(kept[-1], data.encode("latin-1")) == len(data)


def close():
    os.close(kept.pop())


def close_all():
    while kept:
        close()


def get():
    return os.read(kept[-1], 1000).decode("latin-1")


def append(name, data):
    kept.append(os.open(name, WRITE | os.O_APPEND, 0o600))
    put(data)
    close()


def read(name):
    open_to_read(name)
    data = get()
    close()
    return data


def fsync(name):
    descriptor = os.open(name, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def look():
    return {name: read(name) for name in os.listdir(DIRECTORY)}


CALLS = {
    **{call.__name__: call for call in (empty, open_to_read, put, get, close, close_all, append, read, fsync, look)},
    "rename": os.rename,
    "delete": os.unlink,
    "exists": os.path.exists,
    "fsync_directory": lambda: fsync(DIRECTORY),
}


def serve():
    for line in sys.stdin:
        name, *args = json.loads(line)
        try:
            answer = CALLS[name](*args)
        except FileNotFoundError:
            answer = "NotFound"
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
