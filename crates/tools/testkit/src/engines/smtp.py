"""Takes mail on 127.0.0.1 and keeps each in a file: sender, recipients, an empty line, the message.

Arguments: the port; "none", "starttls" or "implicit"; and, when senders have to sign in, user and password.
"""

import asyncio
import itertools
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, encryption, *credentials = sys.argv[1:]
numbers = itertools.count(len(os.listdir("mail")))


class Keep:
    async def handle_DATA(self, server, session, envelope):
        name = f"mail/{next(numbers):06}"
        lines = [envelope.mail_from, *envelope.rcpt_tos, "", ""]
        with open(name, "wb") as file:
            file.write("\n".join(lines).encode() + envelope.original_content)
        os.rename(name, name + ".mail")
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    expected = LoginPassword(*(word.encode() for word in credentials))
    # Unhandled means that the library sends the refusal.
    return AuthResult(success=data == expected, handled=False)


async def serve():
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain("certificate.pem", "key.pem")
    options = {
        "require_starttls": encryption == "starttls",
        "tls_context": tls if encryption == "starttls" else None,
        # Over implicit encryption the library does not know that the connection is confidential.
        "auth_require_tls": encryption == "starttls",
        "auth_required": bool(credentials),
        "authenticator": authenticate if credentials else None,
        "enable_SMTPUTF8": True,
        "hostname": "localhost",
    }
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(Keep(), **options),
        "127.0.0.1",
        int(port),
        ssl=tls if encryption == "implicit" else None,
    )
    await server.serve_forever()


asyncio.run(serve())
