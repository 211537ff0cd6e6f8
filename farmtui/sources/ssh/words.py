"""asyncssh's exceptions in words: what happened on the way to a host, and what to do."""

from __future__ import annotations

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_CONNECT_FAILED

from farmtui.farm.reading import FailureKind
from farmtui.sources.errors import SourceError, safe_words


def login_error(error: BaseException, user: str, tried: str) -> SourceError | None:
    """What a login has failed of, where it is SSH's own business; None: the network's (see `failures`).

    `tried` says which keys were offered.
    """
    match error:
        case asyncssh.PermissionDenied():
            return SourceError(
                FailureKind.FORBIDDEN,
                f"{user} is not let in; tried: {tried}",
                f"put a public key of ours into ~{user}/.ssh/authorized_keys there, or have it signed by the host's"
                " TrustedUserCAKeys; ssh -v shows more",
            )
        case asyncssh.KeyExchangeFailed():
            return SourceError(
                FailureKind.BAD_ANSWER,
                f"no common algorithm ({safe_words(error.reason)})",
                "update sshd there, or allow its algorithm in ssh_config",
            )
        case asyncssh.ConnectionLost():
            return SourceError(
                FailureKind.UNREACHABLE,
                "the connection was lost while logging in",
                "look at sshd's log there (MaxStartups, fail2ban?) and at the network between",
            )
        case asyncssh.ProtocolError() | asyncssh.ProtocolNotSupported():
            return SourceError(
                FailureKind.BAD_ANSWER,
                f"what answers is no SSH server as we know it ({safe_words(error.reason)})",
                "check the host and port in ssh_config or the config",
            )
        case asyncssh.DisconnectError():
            return SourceError(
                FailureKind.UNREACHABLE,
                f"the server ended the connection: {safe_words(error.reason)}",
                "look at sshd's log there",
            )
        case asyncssh.KeyImportError() | asyncssh.KeyEncryptionError():
            return SourceError(
                FailureKind.CONFIG,
                f"a private key cannot be used ({safe_words(str(error))})",
                "load a key with a passphrase into the agent (ssh-add), or name another under ssh.identity_files",
            )
        case asyncssh.ConfigParseError():
            return SourceError(
                FailureKind.CONFIG, f"ssh_config cannot be read: {safe_words(str(error))}", "mend that line"
            )
        case _:
            return None


def channel_error(error: asyncssh.ChannelOpenError) -> SourceError:
    """Why a command could not be started on a connection that stands."""
    if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"sshd there refuses the session: {safe_words(error.reason)}",
            "allow it in sshd_config (MaxSessions, ForceCommand, PermitOpen)",
        )
    return SourceError(
        FailureKind.SERVER,
        f"no session could be opened: {safe_words(error.reason)}",
        "look at sshd_config there (MaxSessions) and at the host's load",
    )


def socket_error(error: asyncssh.ChannelOpenError, path: str, user: str) -> SourceError:
    """Why a socket on the host cannot be reached."""
    if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return SourceError(
            FailureKind.FORBIDDEN,
            f"sshd there forwards no sockets ({safe_words(error.reason)})",
            "set AllowStreamLocalForwarding yes in its sshd_config, or ask by command instead (via: cli)",
        )
    return SourceError(
        FailureKind.UNREACHABLE if error.code == OPEN_CONNECT_FAILED else FailureKind.SERVER,
        f"nobody answers at {path} there, or {user} may not use it ({safe_words(error.reason)})",
        f"check that the service runs and listens there, and that {user} is in the socket's group",
    )
