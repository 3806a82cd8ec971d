"""Secrets in files that only their owner reads. A device has something better."""

import os

import antiphon


class FileStore(antiphon.SecretStore):
    def __init__(self, folder: str) -> None:
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name + ".secret")

    def get(self, name: str) -> bytes | None:
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def put(self, name: str, secret: bytes) -> None:
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secret)

    def delete(self, name: str) -> None:
        os.remove(self.path(name))
