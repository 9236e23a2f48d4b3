"""Two ends of TLS joined without a network, and peers that do not play by the rules."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from baonet.cluster.keys import HostRole, KeysError, handshake, refusal


def hostile(protocol: int, keys: Path | None = None, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """Takes whoever comes, and shows whatever it has: what our own contexts refuse to be made of."""
    context = ssl.SSLContext(protocol)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if newest is not None:
        context.maximum_version = newest
    if keys is not None:
        context.load_cert_chain(keys / "cert.pem", keys / "key.pem")
    return context


@dataclass
class End:
    """One of two. ``said``: the peer's name, or why not."""

    tls: ssl.SSLObject
    wanted: HostRole
    said: list[str] = field(default_factory=list)

    def _shake(self) -> str:
        if self.tls.context.verify_mode == ssl.CERT_REQUIRED:
            return handshake(self.tls, self.wanted)
        self.tls.do_handshake()
        return "anybody"

    def go_on(self) -> bool:
        """Whether it has something to do when more has come."""
        try:
            if not self.said:
                self.said.append(self._shake())
                self.tls.write(b"hello")
            elif len(self.said) == 1:
                self.said.append(self.tls.read(5).decode())
        except ssl.SSLWantReadError:
            return True
        except KeysError as error:
            self.said.append(str(error))
            return False
        except ssl.SSLError as error:
            self.said.append(str(refusal(error)))
            return False
        return len(self.said) < 2


def joined(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    return server.wrap_bio(there, back, server_side=True), client.wrap_bio(back, there)


def meet(
    server: ssl.SSLContext, client: ssl.SSLContext, by_server: HostRole, by_client: HostRole
) -> tuple[list[str], list[str]]:
    """What each has to say: whom it has met and what that one has sent, or an error, at the end."""
    called, calling = joined(server, client)
    ends = (End(called, by_server), End(calling, by_client))
    going = [True, True]
    for _ in range(6):
        for number in (1, 0):
            if going[number]:
                going[number] = ends[number].go_on()
    return ends[0].said, ends[1].said
