"""Makes hashes.tsv: hashes as other systems write them, each with the password that it was made of.

    python3 -m venv v && v/bin/pip install bcrypt passlib argon2-cffi cryptography
    v/bin/python make.py > hashes.tsv

Nothing here is Souk's own code: hashlib, the bcrypt and Argon2 bindings, and passlib make the hashes, and the
forms around them are written as their systems document them. Salts are fixed, so the file is the same every time.
The lines of the section "published" are test vectors of the standards and projects that are named.
"""

import base64
import binascii
import hashlib
import hmac
import struct

import argon2
import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from passlib.hash import pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512, phpass, scrypt as passlib_scrypt

PASSWORD = "rosewood & f\u00fcnf Kirschen"
LONG = "seventy-two bytes are all that bcrypt looks at, and everything beyond is ignored by it"
SALT = bytes(range(1, 17))


def b64(data):
    return base64.b64encode(data).decode()


def bare(data):
    return b64(data).rstrip("=")


def line(name, password, text):
    print(f"{name}\t{password}\t{text}")


def argon(kind, version, memory, passes, lanes):
    raw = argon2.low_level.hash_secret(
        PASSWORD.encode(), SALT, passes, memory, lanes, 32, kind, version)
    return raw.decode()


def blowfish(password, cost, prefix=b"2b"):
    # The salt is fixed: sixteen bytes in bcrypt's own base64.
    salt = b"$2b$%02d$" % cost + b"NRI4lGOi3Ea1Xx2jVqQrZe"
    return "$" + prefix.decode() + bcrypt.hashpw(password[:72], salt).decode()[3:]


def scrypt_kdf(password, log_n, r, p):
    """The file format of Colin Percival's scrypt, which Medusa stores (npm scrypt-kdf)."""
    salt = bytes(range(32))
    header = b"scrypt" + struct.pack(">BBII", 0, log_n, r, p) + salt
    header += hashlib.sha256(header).digest()[:16]
    key = hashlib.scrypt(password, salt=salt, n=2**log_n, r=r, p=p, dklen=64, maxmem=2**28)
    return b64(header + hmac.new(key[32:], header, hashlib.sha256).digest())


def firebase(password, salt, separator, signer_key, rounds, mem_cost):
    key = hashlib.scrypt(password, salt=salt + separator, n=2**mem_cost, r=rounds, p=1, maxmem=2**28)[:32]
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    digest = cipher.update(signer_key) + cipher.finalize()
    return (f"$fbscrypt$v=1,n={mem_cost},r={rounds},p=1,ss={b64(separator)},sk={b64(signer_key)}"
            f"${b64(salt)}${b64(digest)}")


def main():
    p = PASSWORD.encode()
    print("# published")
    line("argon2 reference", "password",
         "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
    line("jBCrypt", "", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.")
    line("jBCrypt", "a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe")
    rfc7914 = binascii.unhexlify(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
    line("RFC 7914", "pleaseletmein", f"$scrypt$ln=14,r=8,p=1${bare(b'SodiumChloride')}${bare(rfc7914)}")
    rfc7914 = binascii.unhexlify(
        "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783")
    line("RFC 7914", "passwd", f"$pbkdf2-sha256$i=1,l=64${bare(b'salt')}${bare(rfc7914)}")
    rfc6070 = binascii.unhexlify("4b007901b765489abead49d926f721d065a429c1")
    line("RFC 6070", "password", f"$pbkdf2-sha1$i=4096${bare(b'salt')}${bare(rfc6070)}")
    line("firebase/scrypt", "user1password",
         "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,"
         "sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$"
         "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==")
    line("phpass", "test12345", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0")

    print("# made")
    kinds = argon2.low_level.Type
    line("argon2i 1.3", PASSWORD, argon(kinds.I, 19, 1024, 3, 1))
    line("argon2d 1.3", PASSWORD, argon(kinds.D, 19, 512, 2, 2))
    line("argon2id 1.0", PASSWORD, argon(kinds.ID, 16, 512, 2, 1))
    line("django argon2", PASSWORD, "argon2" + argon(kinds.ID, 19, 1024, 2, 4))
    for prefix in (b"2a", b"2b", b"2y"):
        line("bcrypt", PASSWORD, blowfish(p, 5, prefix))
    line("bcrypt 72 bytes", LONG, blowfish(LONG.encode(), 4))
    line("django bcrypt", PASSWORD, "bcrypt$" + blowfish(p, 4))
    hexed = binascii.hexlify(hashlib.sha256(p).digest())
    line("django bcrypt_sha256", PASSWORD, "bcrypt_sha256$" + blowfish(hexed, 4))
    wordpress = base64.b64encode(hmac.new(b"wp-sha384", p.strip(), hashlib.sha384).digest())
    line("wordpress 6.8", " " + PASSWORD + " ", "$wp" + blowfish(wordpress, 4, b"2y"))
    line("passlib scrypt", PASSWORD, passlib_scrypt.using(salt=SALT, rounds=8, block_size=8).hash(PASSWORD))
    made = hashlib.scrypt(p, salt=b"djangosalt", n=1024, r=8, p=1)
    line("django scrypt", PASSWORD, f"scrypt$1024$djangosalt$8$1${b64(made)}")
    line("medusa scrypt-kdf", PASSWORD, scrypt_kdf(p, 10, 8, 1))
    for made in (pbkdf2_sha1, pbkdf2_sha256, pbkdf2_sha512):
        line("passlib " + made.name, PASSWORD, made.using(salt=SALT, rounds=1200).hash(PASSWORD))
    for name in ("sha1", "sha256"):
        made = hashlib.pbkdf2_hmac(name, p, b"djangosalt", 1500)
        line("django pbkdf2", PASSWORD, f"pbkdf2_{name}$1500$djangosalt${b64(made)}")
    made = hashlib.pbkdf2_hmac("sha512", p, SALT, 900, 64)
    line("pbkdf2 phc", PASSWORD, f"$pbkdf2-sha512$i=900,l=64${bare(SALT)}${bare(made)}")
    key = bytes(range(100, 164))
    line("firebase", PASSWORD, firebase(p, SALT[:10], b"\x07", key, 8, 10))
    line("firebase without salt", PASSWORD, firebase(p, b"", b"\x07", key, 4, 8))
    made = phpass.using(salt="abcdefgh", rounds=9).hash(PASSWORD)
    line("phpass", PASSWORD, made)
    line("phpbb", PASSWORD, "$H$" + made[3:])


main()
