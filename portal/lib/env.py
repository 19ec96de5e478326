"""Reads the environment for the settings: the data folder and the secret key, made at first start."""

import os
import secrets
from pathlib import Path


def data_folder(root: Path) -> Path:
    """The folder that holds everything a site writes: database, mails, keys; `OPENHOURS_DATA` moves it."""
    folder = Path(os.environ.get("OPENHOURS_DATA") or root / "var").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def secret_key(folder: Path) -> str:
    """The key from `OPENHOURS_SECRET_KEY`, else from `secret_key` in the folder, made once with mode 600.

    Two processes that start together agree: the file appears under its name only when it is whole.
    """
    given = os.environ.get("OPENHOURS_SECRET_KEY")
    if given:
        return given
    path = folder / "secret_key"
    if not path.exists():
        made = folder / f"secret_key.{os.getpid()}"
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(50))
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return path.read_text(encoding="ascii").strip()
